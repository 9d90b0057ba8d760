package dev.duoka.comm.tcp;

import dev.duoka.comm.tcp.Frame.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * Brings what a rank says to one other rank, in this process or another: what it {@link Offer
 * offers}, that it is complete, and that it has all that it needs.
 *
 * <p>Guarded by the world. Ranks send and offer; threads of connections bring what has come from
 * other processes, and those methods never wait. It touches the {@link Endpoint} of the rank that
 * is told, and no tensor.
 */
final class Delivery {
  private final WorldLock lock;
  private final Endpoints endpoints;
  private final Links links;
  private final Ending ending;
  private final PeerViews views;

  Delivery(WorldLock lock, Endpoints endpoints, Links links, Ending ending, PeerViews views) {
    this.lock = lock;
    this.endpoints = endpoints;
    this.links = links;
    this.ending = ending;
    this.views = views;
  }

  // For ranks.

  /** As {@link TcpWorld#offer}. */
  void offer(Endpoint rank, Slot slot, int to, Offer offer) {
    ending.throwIfCome();
    Endpoint here = endpoints.ifHere(to);
    if (here == null) {
      send(Frame.of(Kind.OFFER, slot, rank.rank(), to, ByteBuffer.wrap(offer.encoded())));
    } else {
      offered(here, new Slot(slot.group(), slot.number(), slot.message(), rank.rank()), offer);
    }
  }

  /** As {@link TcpWorld#send}. */
  void send(Frame frame) {
    if (endpoints.isHere(frame.to())) {
      said(frame);
    } else {
      links.send(frame.to(), frame);
    }
  }

  // For threads of connections.

  /**
   * A rank of another process has offered something.
   *
   * @throws IOException when it is no offer
   */
  void offered(Frame frame) throws IOException {
    Offer offer = Offer.decoded(frame.body().array());
    views.called(frame.from(), offer.exchange());
    offered(endpoints.of(frame.to()), frame.slot(frame.from()), offer);
  }

  private void offered(Endpoint to, Slot slot, Offer offer) {
    to.offers.put(slot, offer);
    Reception reception = to.receptions.remove(slot);
    if (reception != null) {
      reception.offered(offer);
    }
    lock.changed();
  }

  /** A rank, wherever it is, has said {@link Kind#READY} or {@link Kind#DONE} to one of here. */
  void said(Frame frame) {
    Endpoint to = endpoints.of(frame.to());
    if (frame.kind() == Kind.READY) {
      to.ready.add(frame.slot(frame.from()));
    } else {
      Window window = to.windows.get(frame.slot(frame.to()).ofWindow(frame.from()));
      if (window != null) {
        window.done(frame.from());
      }
    }
    lock.changed();
  }
}
