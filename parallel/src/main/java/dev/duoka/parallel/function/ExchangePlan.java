package dev.duoka.parallel.function;

import dev.duoka.comm.Communicator;
import dev.duoka.comm.Pending;
import dev.duoka.layout.RoutedExperts;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import java.util.Arrays;

/**
 * Which rows go to which rank of an expert group, and which of its experts each received row is
 * for. A token's row goes to a rank once, however many experts it has chosen there.
 */
final class ExchangePlan {
  /** No expert of the rank that a row goes to. */
  private static final long NONE = -1;

  private final long tokens;
  private final int perToken;
  private final long[] sendRows;
  private final long[] receiveRows;
  private final Tensor sentToken;
  private final Tensor row;
  private final Tensor slot;
  private final Tensor ends;
  private final Tensor counts;

  private ExchangePlan(
      long tokens,
      int perToken,
      long[] sendRows,
      long[] receiveRows,
      Tensor sentToken,
      Tensor row,
      Tensor slot,
      Tensor ends,
      Tensor counts) {
    this.tokens = tokens;
    this.perToken = perToken;
    this.sendRows = sendRows;
    this.receiveRows = receiveRows;
    this.sentToken = sentToken;
    this.row = row;
    this.slot = slot;
    this.ends = ends;
    this.counts = counts;
  }

  /** Tokens of this rank, n. */
  long tokens() {
    return tokens;
  }

  /** Experts of each token, k. */
  int perToken() {
    return perToken;
  }

  /** Sends rows to their experts' ranks: {@code [Σ sent, w] → [Σ received, w]}. Collective. */
  Pending out(Communicator group, Tensor send, Tensor receive) {
    return group.allToAll(send, sendRows, receive, receiveRows);
  }

  /** The way back: {@code [Σ received, w] → [Σ sent, w]}. Collective. */
  Pending back(Communicator group, Tensor send, Tensor receive) {
    long[] theirs = receiveRows;
    long[] mine = sendRows;
    return group.allToAll(send, theirs, receive, mine);
  }

  /** The token of each row that is sent, int64 {@code [Σ sent]}. */
  Tensor sentToken() {
    return sentToken;
  }

  /** The received row of each assignment, sorted by expert, int64 {@code [a]}. */
  Tensor row() {
    return row;
  }

  /** Its place among the {@code received · k} possible assignments, int64 {@code [a]}. */
  Tensor slot() {
    return slot;
  }

  /** Where each expert's assignments end, int32 {@code [experts here]}. */
  Tensor ends() {
    return ends;
  }

  /** How many of this rank's tokens each expert gets, int64 {@code [experts]}. */
  Tensor counts() {
    return counts;
  }

  /** Rows that are received. */
  long received() {
    return Arrays.stream(receiveRows).sum();
  }

  /** Rows that are sent. */
  long sent() {
    return Arrays.stream(sendRows).sum();
  }

  /**
   * The plan for these choices. Collective; reads the choices back, and so waits for the device.
   *
   * @param chosen int64 {@code [n, k]}
   */
  static ExchangePlan of(Tensor chosen, int experts, Communicator group) {
    long[] choices = HostCopy.longs(chosen);
    int tokens = Math.toIntExact(chosen.size(0));
    int k = Math.toIntExact(chosen.size(1));
    int each = experts / group.size();
    Sent sent = Sent.of(choices, k, each, group.size());
    long[] receiveRows = received(sent.rows, group);
    Device device = chosen.device();
    Tensor slots = HostCopy.fromLongs(sent.slots, device, sent.tokens.length, k);
    long rows = Arrays.stream(receiveRows).sum();
    Tensor arrived = Tensors.empty(Dtype.INT64, device, rows, k);
    group.allToAll(slots, sent.rows, arrived, receiveRows).join();
    Here here = Here.of(rows == 0 ? new long[0] : HostCopy.longs(arrived), k, each);
    long[] counts = new long[experts];
    for (long expert : choices) {
      counts[(int) expert]++;
    }
    return new ExchangePlan(
        tokens,
        k,
        sent.rows,
        receiveRows,
        HostCopy.fromLongs(sent.tokens, device, sent.tokens.length),
        HostCopy.fromLongs(here.rows, device, here.rows.length),
        HostCopy.fromLongs(here.slots, device, here.slots.length),
        Copies.cast(HostCopy.fromLongs(here.ends, device, each), Dtype.INT32),
        HostCopy.fromLongs(counts, device, experts));
  }

  /** How many rows each rank sends here. */
  private static long[] received(long[] sendRows, Communicator group) {
    int size = group.size();
    double[] all = new double[size * size];
    for (int to = 0; to < size; to++) {
      all[group.rank() * size + to] = sendRows[to];
    }
    group.agreement().sum(all);
    long[] receive = new long[size];
    for (int from = 0; from < size; from++) {
      receive[from] = (long) all[from * size + group.rank()];
    }
    return receive;
  }

  /**
   * The plan where every expert gets as many tokens, and each rank as many rows as chance gives it:
   * what a dry run books.
   */
  static ExchangePlan balanced(Tensor chosen, RoutedExperts experts, Communicator group) {
    Device device = chosen.device();
    long tokens = chosen.size(0);
    int k = Math.toIntExact(chosen.size(1));
    int each = experts.experts() / group.size();
    long toEach = (long) Math.ceil(tokens * experts.share(group.size()));
    long[] rows = new long[group.size()];
    Arrays.fill(rows, toEach);
    Tensor slots = Tensors.empty(Dtype.INT64, device, toEach * group.size(), k);
    group.agreement().sum(new double[group.size() * group.size()]);
    Tensor arrived = Tensors.empty(Dtype.INT64, device, toEach * group.size(), k);
    group.allToAll(slots, rows, arrived, rows).join();
    return new ExchangePlan(
        tokens,
        k,
        rows,
        rows,
        Tensors.empty(Dtype.INT64, device, toEach * group.size()),
        Tensors.empty(Dtype.INT64, device, tokens * k),
        Tensors.empty(Dtype.INT64, device, tokens * k),
        Tensors.empty(Dtype.INT32, device, each),
        Tensors.empty(Dtype.INT64, device, experts.experts()));
  }

  /** What a rank sends, for rank 0 first. */
  private static final class Sent {
    /** How many for each rank. */
    final long[] rows;

    /** The token of each row. */
    final long[] tokens;

    /** The experts of each row, k of them, by their number on the other rank. */
    final long[] slots;

    private Sent(long[] rows, long[] tokens, long[] slots) {
      this.rows = rows;
      this.tokens = tokens;
      this.slots = slots;
    }

    /** In two passes over the choices: counts, then places; the host does that while GPUs wait. */
    static Sent of(long[] choices, int k, int each, int ranks) {
      long[] rows = new long[ranks];
      int[] lastToken = filled(ranks);
      for (int i = 0; i < choices.length; i++) {
        int rank = (int) choices[i] / each;
        int token = i / k;
        if (lastToken[rank] != token) {
          lastToken[rank] = token;
          rows[rank]++;
        }
      }
      int[] next = new int[ranks];
      for (int rank = 1; rank < ranks; rank++) {
        next[rank] = next[rank - 1] + (int) rows[rank - 1];
      }
      int total = next[ranks - 1] + (int) rows[ranks - 1];
      long[] tokensOf = new long[total];
      long[] slots = new long[Math.multiplyExact(total, k)];
      Arrays.fill(slots, NONE);
      int[] row = new int[ranks];
      lastToken = filled(ranks);
      for (int i = 0; i < choices.length; i++) {
        int rank = (int) choices[i] / each;
        int token = i / k;
        if (lastToken[rank] != token) {
          lastToken[rank] = token;
          row[rank] = next[rank]++;
          tokensOf[row[rank]] = token;
        }
        slots[row[rank] * k + i % k] = choices[i] - (long) rank * each;
      }
      return new Sent(rows, tokensOf, slots);
    }

    private static int[] filled(int ranks) {
      int[] none = new int[ranks];
      Arrays.fill(none, -1);
      return none;
    }
  }

  /** The assignments to the experts here, by expert, then in the order in which rows arrived. */
  private static final class Here {
    final long[] rows;
    final long[] slots;
    final long[] ends;

    private Here(long[] rows, long[] slots, long[] ends) {
      this.rows = rows;
      this.slots = slots;
      this.ends = ends;
    }

    static Here of(long[] arrived, int k, int experts) {
      long[] ends = new long[experts];
      for (long expert : arrived) {
        if (expert != NONE) {
          ends[(int) expert]++;
        }
      }
      int[] next = new int[experts];
      long end = 0;
      for (int expert = 0; expert < experts; expert++) {
        next[expert] = (int) end;
        end += ends[expert];
        ends[expert] = end;
      }
      long[] rows = new long[(int) end];
      long[] slots = new long[(int) end];
      for (int i = 0; i < arrived.length; i++) {
        if (arrived[i] != NONE) {
          int place = next[(int) arrived[i]]++;
          rows[place] = i / k;
          slots[place] = i;
        }
      }
      return new Here(rows, slots, ends);
    }
  }
}
