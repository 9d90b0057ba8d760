package dev.duoka.operations.run;

import dev.duoka.formats.json.Json;
import java.util.Optional;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Who hears how a run goes.
 *
 * @param command of a shell
 * @param webhookVariable the environment variable that holds an address to post to
 * @param form of what is posted: {@code plain}, {@code slack}, {@code feishu}, {@code dingtalk} or
 *     {@code wecom}
 */
public record NotifyTarget(
    Optional<String> command, Optional<String> webhookVariable, String form) {
  /** Nobody. */
  public static final NotifyTarget NOBODY =
      new NotifyTarget(Optional.empty(), Optional.empty(), "plain");

  ObjectNode json() {
    ObjectNode json = Json.object();
    command.ifPresent(text -> json.put("command", text));
    webhookVariable.ifPresent(text -> json.put("webhook_variable", text));
    json.put("form", form);
    return json;
  }

  static NotifyTarget of(JsonNode json) {
    return new NotifyTarget(
        text(json, "command"), text(json, "webhook_variable"), json.path("form").asString("plain"));
  }

  private static Optional<String> text(JsonNode json, String name) {
    return json.has(name) ? Optional.of(json.path(name).asString("")) : Optional.empty();
  }
}
