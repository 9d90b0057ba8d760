package dev.duoka.planner.search;

import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.planner.layout.Job;
import dev.duoka.planner.shape.ModelShape;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** All layouts that a model and a job allow on so many cards. */
final class SearchSpace {
  /** More tokens at once than this gain nothing. */
  private static final long MOST_TOKENS_AT_ONCE = 1 << 17;

  private static final List<Recompute> RECOMPUTES =
      List.of(Recompute.FULL, Recompute.SELECTIVE, Recompute.NONE);

  /** The unfused loss is left out: it needs more memory and more time than the fused one. */
  private static final List<LossKind> LOSSES = List.of(LossKind.CHUNKED, LossKind.FUSED);

  private final ModelShape shape;
  private final Job job;
  private final Method method;
  private final Precision precision;

  /** All choices of a request, in one arithmetic. */
  SearchSpace(PlanRequest request, Precision precision) {
    shape = request.shape();
    job = request.job();
    method = request.method();
    this.precision = precision;
  }

  /**
   * Calls {@code visit} with every layout that uses exactly so many cards. It says whether the
   * layout fits: where one does not, those that need more of the same are left out.
   */
  void forEach(int gpus, Function<Layout, Fit> visit) {
    for (int tensor : divisors(gpus)) {
      if (!tensorDivides(tensor)) {
        continue;
      }
      for (int pipeline : divisors(gpus / tensor)) {
        if (pipeline > shape.layers()) {
          continue;
        }
        for (int context : divisors(gpus / tensor / pipeline)) {
          int data = gpus / tensor / pipeline / context;
          if (contextDivides(context) && job.sequences() % data == 0) {
            for (int expert : experts(data * context * tensor)) {
              states(new Mesh(data, tensor, pipeline, expert, context), visit);
            }
          }
        }
      }
    }
  }

  private record Mesh(int data, int tensor, int pipeline, int expert, int context) {}

  private void states(Mesh mesh, Function<Layout, Fit> visit) {
    boolean replicated =
        mesh.data() * mesh.context() > 1 || (shape.hasExperts() && mesh.tensor() > mesh.expert());
    for (int zero = 0; zero <= 3; zero++) {
      for (Offload offload : Offload.values()) {
        // Weights can be fetched for each layer only where no rank keeps a whole copy.
        boolean sensible = replicated ? offload != Offload.PARAMETERS || zero == 3 : zero == 0;
        if (sensible) {
          batches(mesh, zero, offload, visit);
        }
      }
    }
  }

  private void batches(Mesh mesh, int zero, Offload offload, Function<Layout, Fit> visit) {
    for (LossKind loss : LOSSES) {
      Fit first = Fit.FITS;
      for (Recompute recompute : RECOMPUTES) {
        // What keeps more than selective recompute does cannot fit where that does not.
        if (first == Fit.FITS || recompute != Recompute.NONE) {
          first = batches(mesh, zero, offload, recompute, loss, visit);
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
      Offload offload,
      Recompute recompute,
      LossKind loss,
      Function<Layout, Fit> visit) {
    long perRank = job.sequences() / mesh.data();
    Fit first = Fit.FITS;
    for (int micro = 1; micro <= perRank && perRank % micro == 0; micro *= 2) {
      long tokens = (long) micro * job.sequenceLength() / mesh.context();
      if (micro > 1 && tokens > MOST_TOKENS_AT_ONCE) {
        break;
      }
      Layout layout =
          new Layout(
              mesh.data(),
              mesh.tensor(),
              mesh.pipeline(),
              mesh.expert(),
              mesh.context(),
              zero,
              micro,
              (int) Math.min(Integer.MAX_VALUE, perRank / micro),
              recompute,
              offload,
              loss,
              precision,
              method);
      Fit fit = visit.apply(layout);
      first = micro == 1 ? fit : first;
      if (fit != Fit.FITS) {
        break;
      }
    }
    return first;
  }

  private boolean tensorDivides(int tensor) {
    int heads = shape.attention().heads();
    int kvHeads = shape.attention().kvHeads();
    return heads % tensor == 0 && (kvHeads % tensor == 0 || tensor % kvHeads == 0);
  }

  private boolean contextDivides(int context) {
    // Each rank takes a piece from the front and one from the back, so that work is equal.
    return context == 1 || (job.sequenceLength() % (2 * context) == 0);
  }

  private List<Integer> experts(int ranks) {
    int experts = shape.mixture().experts();
    List<Integer> list = new ArrayList<>();
    list.add(1);
    for (int expert : divisors(ranks)) {
      if (expert > 1 && experts > 0 && experts % expert == 0) {
        list.add(expert);
      }
    }
    return list;
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
