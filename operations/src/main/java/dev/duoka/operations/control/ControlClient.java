package dev.duoka.operations.control;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.nio.channels.SocketChannel;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** Gives orders to a run's supervisor. */
public final class ControlClient {
  private final StateFolder state;
  private final SupervisionFolder run;

  /** A client of the supervisor of a run. */
  public ControlClient(StateFolder state, SupervisionFolder run) {
    this.state = state;
    this.run = run;
  }

  /** Whether a supervisor answers. */
  public boolean isThere() {
    try {
      ObjectNode order = Json.object();
      order.put("order", "ping");
      return call(order).path("ok").asBoolean(false);
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * The run is to save and end; returns when the supervisor has heard it.
   *
   * @throws DuokaException when no supervisor answers
   */
  public void stop(StopOrder why) {
    ObjectNode order = Json.object();
    order.put("order", "stop");
    order.put("by", why.name());
    give(order);
  }

  /**
   * The run is to end at once; returns when the supervisor has heard it.
   *
   * @throws DuokaException when no supervisor answers
   */
  public void endAtOnce() {
    ObjectNode order = Json.object();
    order.put("order", "end");
    give(order);
  }

  private void give(ObjectNode order) {
    try {
      JsonNode reply = call(order);
      if (!reply.path("ok").asBoolean(false)) {
        throw new DuokaException(
            ErrorCode.IO,
            "the supervisor of " + run.run() + " refuses: " + reply.path("error").asString(""),
            "Use the same version of duoka as the run's");
      }
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO,
          "no supervisor of " + run.run() + " answers: " + e.getMessage(),
          "duoka attach starts one again where the run goes on without",
          e);
    }
  }

  private JsonNode call(ObjectNode order) throws IOException {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      channel.connect(ControlAddress.of(state, run));
      Lines.write(channel, order);
      return Lines.read(channel);
    }
  }
}
