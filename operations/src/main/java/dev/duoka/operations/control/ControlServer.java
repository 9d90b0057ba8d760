package dev.duoka.operations.control;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.formats.json.Json;
import dev.duoka.operations.run.StateFolder;
import dev.duoka.operations.run.SupervisionFolder;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.UserPrincipal;
import jdk.net.ExtendedSocketOptions;
import jdk.net.UnixDomainPrincipal;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Takes the orders of a run's user, on a thread of its own. Callers that are other users, by what
 * the kernel says of them, are refused; so are lines that are long or slow to come.
 */
public final class ControlServer implements AutoCloseable {
  private final UnixDomainSocketAddress address;
  private final ServerSocketChannel channel;
  private final Orders orders;
  private final UserPrincipal owner;

  /** What a supervisor does with orders, on the server's thread; should return at once. */
  public interface Orders {
    /** The run is to save and end. */
    void stop(StopOrder order);

    /** The run is to end at once. */
    void endAtOnce();
  }

  private ControlServer(
      UnixDomainSocketAddress address,
      ServerSocketChannel channel,
      Orders orders,
      UserPrincipal owner) {
    this.address = address;
    this.channel = channel;
    this.orders = orders;
    this.owner = owner;
  }

  /** Begins to listen. A socket that an earlier supervisor of the run has left is replaced. */
  public static ControlServer open(StateFolder state, SupervisionFolder run, Orders orders) {
    UnixDomainSocketAddress address = ControlAddress.of(state, run);
    try {
      Files.deleteIfExists(address.getPath());
      ServerSocketChannel channel = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
      channel.bind(address);
      ControlServer server =
          new ControlServer(address, channel, orders, Files.getOwner(Path.of("/proc/self")));
      Thread.ofPlatform().daemon().name("control").start(server::serve);
      return server;
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot listen at " + address + ": " + IoReason.of(e), "", e);
    }
  }

  private void serve() {
    while (channel.isOpen()) {
      try (SocketChannel caller = channel.accept()) {
        UnixDomainPrincipal peer = caller.getOption(ExtendedSocketOptions.SO_PEERCRED);
        if (peer.user().getName().equals(owner.getName())) {
          answer(caller);
        }
      } catch (IOException e) {
        // The caller has gone, or the server was closed.
      }
    }
  }

  private void answer(SocketChannel caller) throws IOException {
    ObjectNode reply = Json.object();
    try {
      JsonNode request = Lines.read(caller);
      switch (request.path("order").asString("")) {
        case "stop" -> orders.stop(StopOrder.valueOf(request.path("by").asString("STOP")));
        case "end" -> orders.endAtOnce();
        case "ping" -> {}
        default -> throw new IllegalArgumentException("there is no such order");
      }
      reply.put("ok", true);
    } catch (DuokaException | IllegalArgumentException e) {
      reply.put("ok", false);
      reply.put("error", String.valueOf(e.getMessage()));
    }
    Lines.write(caller, reply);
  }

  @Override
  public void close() {
    try {
      channel.close();
      Files.deleteIfExists(address.getPath());
    } catch (IOException e) {
      throw new DuokaException(
          ErrorCode.IO, "cannot close " + address + ": " + IoReason.of(e), "", e);
    }
  }
}
