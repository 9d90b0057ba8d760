package dev.duoka.operations.watch;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Under which names a page may be asked for: those of this machine for itself, on any port, so that
 * tunnels work. A page of somebody else's whose name leads here is not served, and cannot ask.
 */
final class AllowedHosts {
  private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");
  private static final Pattern HOST =
      Pattern.compile("(\\[[0-9a-f:.]+\\]|[a-z0-9._-]+)(?::\\d{1,5})?");

  private final Set<String> names = new ConcurrentSkipListSet<>(LOOPBACK);

  /**
   * @param more names that are allowed too, without ports
   */
  AllowedHosts(Set<String> more) {
    more.forEach(this::add);
  }

  /** Allows one more name. Safe while requests are answered. */
  void add(String name) {
    names.add(name.toLowerCase(Locale.ROOT));
  }

  /** Whether the values of a request's header {@code Host} are one allowed name. */
  boolean allowHost(List<String> values) {
    return values.size() == 1 && isAllowed(values.getFirst());
  }

  /** Whether the values of a request's header {@code Origin} are none, or one allowed page. */
  boolean allowOrigin(List<String> values) {
    if (values.isEmpty()) {
      return true;
    }
    if (values.size() > 1) {
      return false;
    }
    try {
      URI origin = new URI(values.getFirst());
      String scheme = origin.getScheme();
      String authority = origin.getRawAuthority();
      return scheme != null
          && authority != null
          && (scheme.equals("http") || scheme.equals("https"))
          && isAllowed(authority);
    } catch (URISyntaxException e) {
      return false;
    }
  }

  private boolean isAllowed(String host) {
    Matcher parts = HOST.matcher(host.toLowerCase(Locale.ROOT));
    return parts.matches() && names.contains(parts.group(1));
  }
}
