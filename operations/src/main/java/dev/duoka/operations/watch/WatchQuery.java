package dev.duoka.operations.watch;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The part of an address behind its question mark. */
final class WatchQuery {
  private static final int MOST_COLUMNS = 4096;

  private final Map<String, List<String>> values = new LinkedHashMap<>();

  /**
   * @param raw as it was sent; null for none
   * @throws IllegalArgumentException for one that is malformed
   */
  WatchQuery(@Nullable String raw) {
    if (raw == null || raw.isEmpty()) {
      return;
    }
    for (String part : raw.split("&")) {
      int equals = part.indexOf('=');
      if (equals < 0) {
        throw new IllegalArgumentException("there is no value");
      }
      values
          .computeIfAbsent(decoded(part.substring(0, equals)), name -> new ArrayList<>())
          .add(decoded(part.substring(equals + 1)));
    }
  }

  /** All values of that name. */
  List<String> all(String name) {
    return values.getOrDefault(name, List.of());
  }

  /**
   * Which run is meant; empty for the one that the page is of.
   *
   * @throws IllegalArgumentException when several are named
   */
  Optional<String> run() {
    List<String> all = all("run");
    if (all.size() > 1) {
      throw new IllegalArgumentException("several runs");
    }
    return all.stream().findFirst();
  }

  /**
   * The steps and columns that are asked for.
   *
   * @throws IllegalArgumentException when they are missing, or no such can be
   */
  RunJson.Window window() {
    long from = number("from");
    long to = number("to");
    long columns = number("columns");
    if (from < 0 || to < from || columns < 1 || columns > MOST_COLUMNS) {
      throw new IllegalArgumentException("no such window");
    }
    return new RunJson.Window(from, to, (int) columns);
  }

  private long number(String name) {
    List<String> all = all(name);
    if (all.size() != 1) {
      throw new IllegalArgumentException(name + " is missing");
    }
    return Long.parseLong(all.getFirst());
  }

  private static String decoded(String text) {
    return URLDecoder.decode(text, StandardCharsets.UTF_8);
  }
}
