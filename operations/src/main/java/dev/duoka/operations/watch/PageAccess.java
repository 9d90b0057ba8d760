package dev.duoka.operations.watch;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.StateFolder;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * From where else pages may be asked for than from this machine under its own names. The process
 * that serves a user's pages is told by a file of a folder that only this user can enter.
 *
 * @param hosts names that are allowed too, without ports
 * @param addresses of this machine to listen at besides the loopback's
 */
public record PageAccess(Set<String> hosts, Set<String> addresses) {
  /** From nowhere else. */
  public static final PageAccess LOOPBACK = new PageAccess(Set.of(), Set.of());

  /** Copies the sets. */
  public PageAccess {
    hosts = Set.copyOf(hosts);
    addresses = Set.copyOf(addresses);
  }

  /** Whether all that the other one allows is allowed. */
  boolean covers(PageAccess other) {
    return hosts.containsAll(other.hosts) && addresses.containsAll(other.addresses);
  }

  /** What any of both allows. */
  PageAccess and(PageAccess other) {
    Set<String> allHosts = new TreeSet<>(hosts);
    allHosts.addAll(other.hosts);
    Set<String> all = new TreeSet<>(addresses);
    all.addAll(other.addresses);
    return new PageAccess(allHosts, all);
  }

  ObjectNode json() {
    ObjectNode json = Json.object();
    ArrayNode names = json.putArray("hosts");
    new TreeSet<>(hosts).forEach(names::add);
    ArrayNode listening = json.putArray("addresses");
    new TreeSet<>(addresses).forEach(listening::add);
    return json;
  }

  /** What {@link #json} has written. */
  static PageAccess of(JsonNode json) {
    return new PageAccess(texts(json.path("hosts")), texts(json.path("addresses")));
  }

  private static Set<String> texts(JsonNode list) {
    Set<String> texts = new TreeSet<>();
    list.forEach(each -> texts.add(each.asString("")));
    return texts;
  }

  /** What the serving process is asked to allow; nothing else where nobody has asked. */
  static PageAccess read(StateFolder state) {
    Path file = file(state);
    return Files.exists(file) ? of(Json.parse(file, ErrorCode.FORMAT)) : LOOPBACK;
  }

  /** Asks the serving process to allow this. */
  void write(StateFolder state) {
    try {
      CrashSafeFiles.publish(file(state), Json.line(json()).getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot write " + file(state) + ": " + IoReason.of(e), "Check the disk", e);
    }
  }

  private static Path file(StateFolder state) {
    return AddressFile.folder(state).resolve("access.json");
  }
}
