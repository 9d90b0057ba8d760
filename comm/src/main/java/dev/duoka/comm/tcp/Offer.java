package dev.duoka.comm.tcp;

import dev.duoka.comm.Exchange;
import dev.duoka.comm.Operation;
import dev.duoka.comm.RankGroup;
import dev.duoka.ffi.torch.HostMemory;
import dev.duoka.tensor.Dtype;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a rank shows another one in a call.
 *
 * @param exchange the call, as the offering rank makes it
 * @param shown its tensor in words
 * @param start where in its memory the part for the other rank starts, in bytes
 * @param length of that part in bytes
 * @param rows how many rows the part has; of an all-to-all alone
 * @param data the part itself where it is small; null where it is to be pulled
 */
record Offer(
    Exchange exchange,
    String shown,
    long start,
    long length,
    long rows,
    @Nullable HostMemory data) {
  /** Parts of at most this many bytes travel with the offer. */
  static final int SMALL = 32 << 10;

  /** An offer of a part of {@code memory}, with the part itself if it is small. */
  static Offer of(Exchange exchange, String shown, HostMemory memory, Part part) {
    HostMemory data =
        !part.isPulled()
            ? HostMemory.ofArray(memory.asSlice(part.start(), part.length()).toBytes())
            : null;
    return new Offer(exchange, shown, part.start(), part.length(), part.rows(), data);
  }

  /**
   * A part of a rank's memory that another one needs.
   *
   * @param start in bytes
   * @param length in bytes
   * @param rows of an all-to-all
   * @param isPulled whether the other one pulls it; else it travels with the offer
   */
  record Part(long start, long length, long rows, boolean isPulled) {
    /** Nothing. */
    static final Part NONE = of(0, 0);

    /** A part that is pulled if it is not small. */
    static Part of(long start, long length) {
      return ofRows(start, length, 0);
    }

    /** As {@link #of}, of so many rows. */
    static Part ofRows(long start, long length, long rows) {
      return new Part(start, length, rows, length > SMALL);
    }

    /** All of a memory. */
    static Part all(HostMemory memory) {
      return of(0, memory.byteSize());
    }
  }

  byte[] encoded() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      Dtype dtype = exchange.dtype();
      out.writeByte(exchange.operation().ordinal());
      out.writeByte(dtype == null ? -1 : dtype.ordinal());
      out.writeLong(exchange.elements());
      out.writeInt(exchange.peer());
      out.writeUTF(exchange.group().name());
      List<Integer> members = exchange.group().members();
      out.writeInt(members.size());
      for (int member : members) {
        out.writeInt(member);
      }
      out.writeUTF(exchange.purpose());
      out.writeUTF(shown);
      out.writeLong(start);
      out.writeLong(length);
      out.writeLong(rows);
      out.writeBoolean(data != null);
      if (data != null) {
        out.write(data.toBytes());
      }
    } catch (IOException e) { // no file and no connection is involved
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  static Offer decoded(byte[] bytes) throws IOException {
    DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
    Operation operation = Operation.values()[in.readByte()];
    int dtype = in.readByte();
    long elements = in.readLong();
    int peer = in.readInt();
    RankGroup group = group(in);
    String purpose = in.readUTF();
    Exchange exchange =
        new Exchange(
            group, operation, elements, dtype < 0 ? null : Dtype.values()[dtype], peer, purpose);
    String shown = in.readUTF();
    long start = in.readLong();
    long length = in.readLong();
    long rows = in.readLong();
    boolean here = in.readBoolean();
    return new Offer(
        exchange, shown, start, length, rows, here ? HostMemory.ofArray(in.readAllBytes()) : null);
  }

  private static RankGroup group(DataInputStream in) throws IOException {
    String name = in.readUTF();
    int size = in.readInt();
    if (size < 0 || size > in.available() / Integer.BYTES) {
      throw new IOException("a group of " + size + " ranks");
    }
    List<Integer> members = new ArrayList<>();
    for (int i = 0; i < size; i++) {
      members.add(in.readInt());
    }
    return new RankGroup(name, members);
  }
}
