package dev.duoka.parallel.dryrun;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.comm.Communicator;
import dev.duoka.comm.Exchange;
import dev.duoka.comm.Operation;
import dev.duoka.comm.RankGroup;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.MemoryOwner;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.tensor.op.Tensors;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a rank is going to exchange in a step, by group and by pair of ranks that send messages, as
 * its own dry run says. Ranks compare it before the first step: the order of exchanges follows from
 * the plan alone, so ranks that would wait for each other for ever are found while no device has
 * anything to do.
 */
public final class PlannedExchanges {
  /** Layers of a stage beyond which all are like those before. */
  private static final int LAYERS = 2;

  /** Numbers of a line of what ranks show each other: whose, how many, which. */
  private static final int FIELDS = 3;

  private static final long PRIME = 0x100000001B3L;

  private final Map<String, Sequence> sequences = new LinkedHashMap<>();

  /** Exchanges one after the other, as a number that two ranks have in common if they are alike. */
  private static final class Sequence {
    /** The ranks that plan the same; empty for all. */
    final List<Integer> members;

    long count;
    long digest = 1;

    Sequence(List<Integer> members) {
      this.members = members;
    }

    void add(Exchange call, long elements, int peer) {
      count++;
      add(call.operation().name());
      add(String.valueOf(call.dtype()));
      digest = (digest * PRIME + elements) * PRIME + peer;
    }

    /** Of which the one side sends what the other receives. */
    void addMessage(Exchange call) {
      count++;
      add(String.valueOf(call.dtype()));
      digest = digest * PRIME + call.elements();
    }

    private void add(String text) {
      digest = digest * PRIME + numberOf(text);
    }
  }

  private static long numberOf(String text) {
    long number = 1;
    for (int i = 0; i < text.length(); i++) {
      number = number * PRIME + text.charAt(i);
    }
    return number;
  }

  private PlannedExchanges() {}

  /** Those of a rank: of a step with few layers and forward passes, but of all kinds. */
  public static PlannedExchanges of(DryRunJob job) {
    PlannedExchanges exchanges = new PlannedExchanges();
    for (Exchange each : DryRun.exchanged(shorter(job).steady())) {
      exchanges.add(each, job.rank());
    }
    return exchanges;
  }

  private static DryRunJob shorter(DryRunJob job) {
    ModelConfig model = job.settings().model();
    MoeConfig moe = model.moe();
    int stages = job.settings().pipeline().stages(job.mesh().pipeline());
    int enough = LAYERS * stages + (moe == null ? 0 : moe.firstDenseLayers());
    boolean byHand = !job.settings().pipeline().layers().isEmpty();
    return byHand || model.layers() <= enough
        ? job
        : job.of(model.with(enough, moe, model.mtpModules()));
  }

  private void add(Exchange call, int rank) {
    if (call.operation() == Operation.SEND || call.operation() == Operation.RECEIVE) {
      int other = call.group().member(call.peer());
      boolean sends = call.operation() == Operation.SEND;
      String pair =
          "messages of rank %d to rank %d in %s"
              .formatted(sends ? rank : other, sends ? other : rank, call.group().name());
      sequence(pair, List.of(rank, other)).addMessage(call);
    } else {
      // How many rows a rank sends to all others is its own affair.
      long elements = call.operation() == Operation.ALL_TO_ALL ? 0 : call.elements();
      RankGroup group = call.group();
      sequence(group.toString(), group.members()).add(call, elements, call.peer());
    }
  }

  private Sequence sequence(String name, List<Integer> members) {
    return sequences.computeIfAbsent(name, _ -> new Sequence(members));
  }

  /**
   * Compares them with those of all other ranks. Collective.
   *
   * @param hosts the ranks, for tensors in host memory
   * @throws DuokaException with {@link ErrorCode#RANK_LOST} on every rank that has one side of a
   *     difference
   */
  public void requireSame(Communicator hosts) {
    long[] mine = new long[FIELDS * sequences.size()];
    int at = 0;
    for (Map.Entry<String, Sequence> each : sequences.entrySet()) {
      mine[at++] = numberOf(each.getKey());
      mine[at++] = each.getValue().count;
      mine[at++] = each.getValue().digest;
    }
    long[][] all = all(hosts, mine);
    for (Map.Entry<String, Sequence> each : sequences.entrySet()) {
      for (int rank = 0; rank < all.length; rank++) {
        List<Integer> members = each.getValue().members;
        if (members.isEmpty() || members.contains(rank)) {
          compare(each.getKey(), each.getValue(), hosts.rank(), rank, all[rank]);
        }
      }
    }
  }

  private static void compare(String name, Sequence mine, int rank, int other, long... theirs) {
    long key = numberOf(name);
    long count = 0;
    long digest = 0;
    for (int i = 0; i < theirs.length; i += FIELDS) {
      if (theirs[i] == key && theirs[i + 1] > 0) {
        count = theirs[i + 1];
        digest = theirs[i + 2];
      }
    }
    if (count == mine.count && digest == mine.digest) {
      return;
    }
    throw new DuokaException(
        ErrorCode.RANK_LOST,
        "the ranks would wait for each other for ever: rank "
            + rank
            + " plans "
            + mine.count
            + " exchanges of "
            + name
            + " in a step, and rank "
            + other
            + " plans "
            + (count == mine.count ? "others" : count == 0 ? "none" : count),
        "All processes must run the same program and file; './duoka selftest' shows what this"
            + " layout computes.");
  }

  /** What all ranks show, by rank. */
  private static long[][] all(Communicator hosts, long... mine) {
    try (Scope _ = Scope.open(MemoryOwner.COMMUNICATION)) {
      long most = 0;
      for (long length : gathered(hosts, mine.length)) {
        most = Math.max(most, length);
      }
      long[] padded = new long[Math.toIntExact(most)];
      System.arraycopy(mine, 0, padded, 0, mine.length);
      long[] gathered = gathered(hosts, padded);
      long[][] all = new long[hosts.size()][padded.length];
      for (int rank = 0; rank < all.length; rank++) {
        System.arraycopy(gathered, rank * padded.length, all[rank], 0, padded.length);
      }
      return all;
    }
  }

  private static long[] gathered(Communicator hosts, long... numbers) {
    Tensor shard = HostCopy.fromLongs(numbers, Device.CPU, numbers.length);
    Tensor full = Tensors.zeros(Dtype.INT64, Device.CPU, (long) numbers.length * hosts.size());
    hosts.allGather(shard, full).join();
    return HostCopy.longs(full);
  }
}
