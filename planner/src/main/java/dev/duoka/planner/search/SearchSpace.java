package dev.duoka.planner.search;

import dev.duoka.hardware.Machine;
import dev.duoka.layout.GradientForm;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineOrder;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.layout.StateForm;
import dev.duoka.parallel.plan.LayoutCheck;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;

/** All layouts that a model, a job and the links allow on so many cards. */
final class SearchSpace {
  /** More tokens at once than this gain nothing. */
  private static final long MOST_TOKENS_AT_ONCE = 1 << 17;

  /** In sequences; tokens set a limit before. */
  private static final int LARGEST_MICRO_BATCH = 1 << 16;

  /** Of the states that pass through the device: what stays on it has no way to go. */
  private static final List<Double> FRACTIONS = List.of(1.0, 0.75, 0.5, 0.25);

  private static final List<Recompute> RECOMPUTES =
      List.of(Recompute.FULL, Recompute.SELECTIVE, Recompute.NONE);

  private final ModelShape shape;
  private final Job job;
  private final Machine machine;
  private final Method method;
  private final Choice choice;
  private final List<Away> away;

  /** The unfused loss is left out: it needs more memory and more time than the fused one. */
  private final List<LossKind> losses;

  /**
   * What a search keeps the same in all layouts.
   *
   * @param precision arithmetic
   * @param states in which form they are kept
   * @param context whether sequences are cut, too
   * @param beyond whether losses and offloads that no engine has here are searched, too
   */
  record Choice(Precision precision, StateForm states, boolean context, boolean beyond) {}

  /** All layouts of a request under one choice. */
  SearchSpace(PlanRequest request, Choice choice) {
    shape = request.shape();
    job = request.job();
    machine = request.machine();
    method = request.method();
    this.choice = choice;
    away = away(method, choice.beyond());
    losses =
        choice.beyond() ? List.of(LossKind.CHUNKED, LossKind.FUSED) : List.of(LossKind.CHUNKED);
  }

  /** What lives in host memory, and where it is updated. */
  private record Away(Offload offload, OffloadUpdate update, double fraction) {
    static final Away NOTHING = new Away(Offload.NONE, OffloadUpdate.DEVICE, 1);
  }

  /** An adapter's states are too small to be worth a place in host memory. */
  private static List<Away> away(Method method, boolean beyond) {
    List<Away> all = new ArrayList<>(List.of(Away.NOTHING));
    if (beyond || !method.isAdapter()) {
      for (double fraction : FRACTIONS) {
        all.add(new Away(Offload.OPTIMIZER, OffloadUpdate.DEVICE, fraction));
      }
      all.add(new Away(Offload.OPTIMIZER, OffloadUpdate.HOST, 1));
    }
    if (beyond) {
      all.add(new Away(Offload.PARAMETERS, OffloadUpdate.HOST, 1));
    }
    return all;
  }

  /**
   * Calls {@code visit} with every layout that uses exactly so many cards. It says whether the
   * layout fits: where one does not, those that need more of the same are left out.
   */
  void forEach(int gpus, Function<Layout, Fit> visit) {
    for (int tensor : divisors(gpus)) {
      if (!isInDomain(tensor)) {
        continue;
      }
      for (int pipeline : divisors(gpus / tensor)) {
        for (int context : divisors(gpus / tensor / pipeline)) {
          int data = gpus / tensor / pipeline / context;
          if ((context == 1 || choice.context()) && job.sequences() % data == 0) {
            for (int expert : divisors(data * context * tensor)) {
              for (int replicate : replicas(gpus, data)) {
                Mesh mesh = new Mesh(data, tensor, pipeline, expert, context, replicate);
                if (isInDomain(expert) && isPossible(mesh)) {
                  states(mesh, visit);
                }
              }
            }
          }
        }
      }
    }
  }

  /**
   * Into how many replicas data ranks are worth dividing: so many that ranks which share states lie
   * within one domain of fast links, or some of them.
   */
  private List<Integer> replicas(int gpus, int data) {
    int most = gpus / machine.domain();
    return divisors(data).stream().filter(groups -> groups == 1 || groups <= most).toList();
  }

  private record Mesh(int data, int tensor, int pipeline, int expert, int context, int replicate) {
    Layout layout(
        int zero,
        int microBatch,
        int accumulation,
        Recompute recompute,
        Away away,
        LossKind loss,
        SearchSpace space) {
      return new Layout(
          data,
          tensor,
          pipeline,
          expert,
          context,
          zero,
          microBatch,
          accumulation,
          recompute,
          away.offload(),
          loss,
          space.choice.precision(),
          space.method,
          space.choice.states(),
          PipelineOrder.DEFAULT,
          replicate,
          away.update(),
          1,
          away.fraction());
    }
  }

  private void states(Mesh mesh, Function<Layout, Fit> visit) {
    boolean replicated =
        mesh.data() / mesh.replicate() * mesh.context() > 1
            || (shape.hasExperts() && mesh.tensor() > mesh.expert());
    if (mesh.replicate() > 1 && !replicated) {
      return; // nothing is shared within a replica
    }
    for (int zero = mesh.replicate() > 1 ? 1 : 0; zero <= 3; zero++) {
      for (Away each : away) {
        // Weights can be fetched for each layer only where no rank keeps a whole copy.
        boolean sensible =
            replicated ? each.offload() != Offload.PARAMETERS || zero == 3 : zero == 0;
        if (sensible) {
          batches(mesh, zero, each, visit);
        }
      }
    }
  }

  private void batches(Mesh mesh, int zero, Away each, Function<Layout, Fit> visit) {
    for (LossKind loss : losses) {
      Fit first = Fit.FITS;
      for (Recompute recompute : RECOMPUTES) {
        // What keeps more than selective recompute does cannot fit where that does not.
        if (first == Fit.FITS || recompute != Recompute.NONE) {
          first = batches(mesh, zero, each, recompute, loss, visit);
        }
        if (first == Fit.STATES_TOO_LARGE) {
          return;
        }
      }
    }
  }

  /** What comes of one sequence at a time. */
  private Fit batches(
      Mesh mesh,
      int zero,
      Away each,
      Recompute recompute,
      LossKind loss,
      Function<Layout, Fit> visit) {
    long perRank = job.sequences() / mesh.data();
    Fit first = Fit.FITS;
    boolean smallest = true;
    for (int micro : microBatches(perRank)) {
      long tokens = (long) micro * job.sequenceLength() / mesh.context();
      if (micro > 1 && tokens > MOST_TOKENS_AT_ONCE) {
        break;
      }
      int accumulation = (int) Math.min(Integer.MAX_VALUE, perRank / micro);
      Layout layout = mesh.layout(zero, micro, accumulation, recompute, each, loss, this);
      if (!isPossible(layout)) {
        continue;
      }
      Fit fit = visit.apply(layout);
      first = smallest ? fit : first;
      smallest = false;
      if (fit != Fit.FITS) {
        break;
      }
    }
    return first;
  }

  /** Powers of two and three times those, of which a rank's sequences are a multiple. */
  static List<Integer> microBatches(long perRank) {
    List<Integer> sizes = new ArrayList<>();
    for (int power = 1; power <= Math.min(perRank, LARGEST_MICRO_BATCH); power *= 2) {
      for (int size : power == 1 ? new int[] {1} : new int[] {power, power / 2 * 3}) {
        if (perRank % size == 0) {
          sizes.add(size);
        }
      }
    }
    return sizes;
  }

  /** Groups that exchange within each layer lie where the links are fast. */
  private boolean isInDomain(int group) {
    return machine.domain() % group == 0 || machine.domain() == machine.gpus();
  }

  private boolean isPossible(Mesh mesh) {
    // A micro-batch of so many sequences divides whatever its tokens must divide by.
    Layout any =
        mesh.layout(0, mesh.tensor(), 1, Recompute.NONE, Away.NOTHING, LossKind.CHUNKED, this);
    return LayoutCheck.allows(
        shape.config(), any, job.sequenceLength(), OptionalInt.empty(), List.of());
  }

  /** What a mesh that is possible may still lack: tokens that divide, one micro-batch. */
  private boolean isPossible(Layout layout) {
    long rows = (long) layout.microBatch() * job.sequenceLength() / layout.context();
    boolean once = choice.states().gradients() == GradientForm.FP32 || layout.accumulation() == 1;
    return once && rows % layout.tensor() == 0;
  }

  static List<Integer> divisors(int number) {
    List<Integer> list = new ArrayList<>();
    for (int i = 1; i <= number; i++) {
      if (number % i == 0) {
        list.add(i);
      }
    }
    return list;
  }
}
