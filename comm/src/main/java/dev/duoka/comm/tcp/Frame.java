package dev.duoka.comm.tcp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/**
 * What one process writes to another: a head of fixed length and a body.
 *
 * @param from the rank that it is of
 * @param to the rank that it is for; −1 for all of the process
 * @param group the group's number
 * @param number the call's number, {@link Slot#number}
 * @param first what the kind says
 * @param second what the kind says
 * @param body what the kind says; of {@link Kind#DATA} it stays on the connection
 */
record Frame(
    Kind kind,
    boolean message,
    int from,
    int to,
    long group,
    long number,
    long first,
    long second,
    ByteBuffer body) {
  /** What a frame is. */
  enum Kind {
    /** An {@link Offer}. */
    OFFER,
    /** What the rank has offered is complete now: the second half of an all-reduce may begin. */
    READY,
    /** Asks for a stretch; body: offset and length. First: the request's number. */
    PULL,
    /** A piece of a stretch. First: the request's number; second: where in the stretch it lies. */
    DATA,
    /** The rank has all that it needs of what was offered to it. */
    DONE,
    /** What is rank {@code to} doing? First: the question's number. */
    QUESTION,
    /** First: the question's number; second: which rank it waits for, or −1; body: in words. */
    ANSWER,
    /**
     * All exchange has ended; body: why. First: 1 where rank {@code from} failed by itself; second:
     * 1 where it gave a reason and may still say more.
     */
    FAILED,
    /** Rank {@code from} is done. */
    FINISHED,
    /**
     * All ranks of the process have come to begin again. From: its first rank; first: its {@link
     * Renewal.Word}.
     */
    RENEWED
  }

  /** The bytes of the head: body length, kind, message, from, to, and four numbers. */
  static final int HEAD = 4 + 1 + 1 + 4 + 4 + 4 * 8;

  /** The largest body but that of data. */
  static final int LARGEST_BODY = 17 << 20;

  private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

  /** A frame of a call. */
  static Frame of(Kind kind, Slot slot, int from, int to, ByteBuffer body) {
    return new Frame(kind, slot.message(), from, to, slot.group(), slot.number(), 0, 0, body);
  }

  /** A frame of a call without more. */
  static Frame of(Kind kind, Slot slot, int from, int to) {
    return of(kind, slot, from, to, NOTHING);
  }

  /** Asks for a stretch of what {@code to} offers in {@code slot}. */
  static Frame pull(Slot slot, int from, int to, long request, long offset, long length) {
    ByteBuffer body = ByteBuffer.allocate(16).putLong(offset).putLong(length).flip();
    return new Frame(
        Kind.PULL, slot.message(), from, to, slot.group(), slot.number(), request, 0, body);
  }

  /** A frame of no call. */
  static Frame about(Kind kind, int from, int to, long first, long second, String text) {
    return new Frame(
        kind, false, from, to, 0, 0, first, second, StandardCharsets.UTF_8.encode(text));
  }

  /** The head of a piece of data, whose body follows. */
  static ByteBuffer dataHead(long request, long offset, int length) {
    return head(new Frame(Kind.DATA, false, -1, -1, 0, 0, request, offset, NOTHING), length);
  }

  /** The body as text. */
  String text() {
    return StandardCharsets.UTF_8.decode(body.duplicate()).toString();
  }

  /** The call, as the offers of {@code peer} are found by. */
  Slot slot(int peer) {
    return new Slot(group, number, message, peer);
  }

  ByteBuffer encoded() {
    int length = body.remaining();
    return ByteBuffer.allocate(HEAD + length).put(head(this, length)).put(body.duplicate()).flip();
  }

  private static ByteBuffer head(Frame frame, int length) {
    return ByteBuffer.allocate(HEAD)
        .putInt(length)
        .put((byte) frame.kind.ordinal())
        .put((byte) (frame.message ? 1 : 0))
        .putInt(frame.from)
        .putInt(frame.to)
        .putLong(frame.group)
        .putLong(frame.number)
        .putLong(frame.first)
        .putLong(frame.second)
        .flip();
  }

  /** A head that has arrived, and how long its body is. */
  record Head(Frame frame, int length) {
    Frame with(ByteBuffer body) {
      return new Frame(
          frame.kind,
          frame.message,
          frame.from,
          frame.to,
          frame.group,
          frame.number,
          frame.first,
          frame.second,
          body);
    }
  }

  static Head decodeHead(ByteBuffer head) throws IOException {
    int length = head.getInt();
    int kind = head.get();
    if (kind < 0 || kind >= Kind.values().length || length < 0) {
      throw new IOException("a frame of kind " + kind + " and " + length + " bytes");
    }
    Frame frame =
        new Frame(
            Kind.values()[kind],
            head.get() != 0,
            head.getInt(),
            head.getInt(),
            head.getLong(),
            head.getLong(),
            head.getLong(),
            head.getLong(),
            NOTHING);
    if (length > LARGEST_BODY && frame.kind != Kind.DATA) {
      throw new IOException("a frame of " + length + " bytes");
    }
    return new Head(frame, length);
  }
}
