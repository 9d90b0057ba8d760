package dev.duoka.parallel.plan;

import dev.duoka.formats.modelconfig.AttentionConfig;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Layout;
import dev.duoka.parallel.mesh.Mesh;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Whether a model can be laid out as asked, and what comes nearest where it cannot. */
public final class LayoutCheck {
  /**
   * What is wrong.
   *
   * @param axis of the layout, as run files name it
   * @param problem what was asked and why it cannot be
   * @param remedy the nearest that can
   */
  public record Misfit(String axis, String problem, String remedy) {}

  /** Larger axes than this are not searched for the nearest that go together. */
  private static final int MOST_AROUND = 24;

  private final ModelConfig model;
  private final Layout layout;
  private final List<Misfit> misfits = new ArrayList<>();

  private LayoutCheck(ModelConfig model, Layout layout) {
    this.model = model;
    this.layout = layout;
  }

  /**
   * Everything that is wrong; empty where the layout can be.
   *
   * @param length tokens of a sequence
   * @param ofTable stages of a schedule that a file has; empty for the layout's own order
   * @param stages decoder layers of each stage; empty where they are not given
   */
  public static List<Misfit> of(
      ModelConfig model, Layout layout, int length, OptionalInt ofTable, List<Integer> stages) {
    List<Misfit> misfits = each(model, layout, length, ofTable, stages);
    if (misfits.size() < 2) {
      return misfits;
    }
    // What is nearest on each axis need not go together.
    return nearest(model, layout, length, ofTable)
        .map(
            mesh -> {
              List<Misfit> all = new ArrayList<>(misfits);
              Misfit first = all.getFirst();
              all.set(
                  0,
                  new Misfit(
                      first.axis(),
                      first.problem(),
                      first.remedy() + "; all together " + text(mesh, layout)));
              return List.copyOf(all);
            })
        .orElse(misfits);
  }

  /** Whether nothing is wrong, without saying what comes nearest; as {@link #of}. */
  public static boolean allows(
      ModelConfig model, Layout layout, int length, OptionalInt ofTable, List<Integer> stages) {
    return each(model, layout, length, ofTable, stages).isEmpty();
  }

  private static List<Misfit> each(
      ModelConfig model, Layout layout, int length, OptionalInt ofTable, List<Integer> stages) {
    LayoutCheck check = new LayoutCheck(model, layout);
    check.tensor(length);
    check.pipeline(ofTable, stages);
    check.replicate();
    check.expert();
    check.context(length);
    return check.misfits;
  }

  /** The mesh that can be whose axes are, by their ratios, least far from those of the layout. */
  private static Optional<Mesh> nearest(
      ModelConfig model, Layout asked, int length, OptionalInt ofTable) {
    Mesh best = null;
    double least = Double.MAX_VALUE;
    for (int tensor : around(asked.tensor())) {
      for (int pipeline : around(asked.pipeline())) {
        for (int context : around(asked.context())) {
          for (int expert : around(asked.expert())) {
            double distance =
                ratio(tensor, asked.tensor())
                    + ratio(pipeline, asked.pipeline())
                    + ratio(context, asked.context())
                    + ratio(expert, asked.expert());
            if (distance < least) {
              Layout layout = asked.with(tensor, pipeline, expert, context);
              if (each(model, layout, length, ofTable, List.of()).isEmpty()) {
                best = Mesh.of(layout);
                least = distance;
              }
            }
          }
        }
      }
    }
    return Optional.ofNullable(best);
  }

  private static List<Integer> around(int asked) {
    return asked == 1
        ? List.of(1)
        : IntStream.rangeClosed(1, Math.min(2 * asked, MOST_AROUND)).boxed().toList();
  }

  private static String text(Mesh mesh, Layout asked) {
    Map<String, Integer> axes = new LinkedHashMap<>();
    if (asked.tensor() > 1) {
      axes.put("tensor", mesh.tensor());
    }
    if (asked.pipeline() > 1) {
      axes.put("pipeline", mesh.pipeline());
    }
    if (asked.expert() > 1) {
      axes.put("expert", mesh.expert());
    }
    if (asked.context() > 1) {
      axes.put("context", mesh.context());
    }
    return axes.toString().replace("=", ": ");
  }

  private static double ratio(int ranks, int asked) {
    return Math.abs(Math.log((double) ranks / asked));
  }

  private void tensor(int length) {
    int ranks = layout.tensor();
    if (ranks == 1) {
      return;
    }
    IntPredicate fits = it -> headsProblem(it).isEmpty() && widthsProblem(it).isEmpty();
    String problem =
        Stream.of(headsProblem(ranks), widthsProblem(ranks))
            .filter(it -> !it.isEmpty())
            .collect(Collectors.joining(", and "));
    if (!problem.isEmpty()) {
      refuse("tensor", ranks, problem, nearest(ranks, fits));
      return;
    }
    long rows = (long) layout.microBatch() * length / layout.context();
    if (rows % ranks != 0) {
      refuse(
          "tensor",
          ranks,
          "the "
              + rows
              + " tokens of a micro-batch do not divide among the ranks, which each have a part",
          nearest(ranks, it -> rows % it == 0 && fits.test(it))
              + ", or choose data.sequence_length as a multiple of "
              + ranks);
    }
  }

  private String headsProblem(int ranks) {
    return switch (model.attention()) {
      case AttentionConfig.GroupedQuery heads -> {
        boolean keys =
            heads.kvHeads() % ranks == 0
                || (ranks % heads.kvHeads() == 0 && heads.heads() % ranks == 0);
        yield heads.heads() % ranks != 0
            ? heads.heads() + " heads do not divide"
            : keys ? "" : heads.kvHeads() + " heads of keys and values do not divide";
      }
      case AttentionConfig.MultiHeadLatent heads ->
          heads.heads() % ranks == 0 ? "" : heads.heads() + " heads do not divide";
    };
  }

  private String widthsProblem(int ranks) {
    MoeConfig moe = model.moe();
    if (hasDenseLayers() && model.intermediateSize() % ranks != 0) {
      return "the feed-forward width " + model.intermediateSize() + " does not divide";
    }
    if (moe != null && moe.sharedExperts() > 0 && moe.sharedIntermediateSize() % ranks != 0) {
      return "the shared experts' width " + moe.sharedIntermediateSize() + " does not divide";
    }
    return model.vocabSize() < ranks ? "the vocabulary is too small" : "";
  }

  private boolean hasDenseLayers() {
    return IntStream.range(0, model.layers()).anyMatch(layer -> !model.isMoeLayer(layer));
  }

  private void pipeline(OptionalInt ofTable, List<Integer> stages) {
    int stagesPerRank = layout.order().stagesPerRank();
    int count = ofTable.orElse(layout.pipeline() * stagesPerRank);
    if (count > model.layers() && ofTable.isPresent()) {
      misfits.add(
          new Misfit(
              "schedule",
              "the model has " + model.layers() + " layers for the schedule's " + count + " stages",
              "Take a schedule of at most " + model.layers() + " stages"));
    } else if (count > model.layers()) {
      refuse(
          "pipeline",
          layout.pipeline(),
          "the model has " + model.layers() + " layers for " + count + " stages",
          nearest(layout.pipeline(), it -> it * stagesPerRank <= model.layers()));
    } else if (!stages.isEmpty()) {
      int layers = stages.stream().mapToInt(Integer::intValue).sum();
      if (stages.size() != count || layers != model.layers()) {
        misfits.add(
            new Misfit(
                "stages",
                "parallel.stages names "
                    + stages.size()
                    + " stages with "
                    + layers
                    + " layers, but there are "
                    + count
                    + " stages for "
                    + model.layers()
                    + " layers",
                "Name the layers of each stage, or leave parallel.stages out"));
      }
    }
    if (stagesPerRank > 1 && layout.accumulation() % layout.pipeline() != 0) {
      int below = layout.accumulation() / layout.pipeline() * layout.pipeline();
      int above = below + layout.pipeline();
      misfits.add(
          new Misfit(
              "schedule",
              "an interleaved schedule goes in rounds of "
                  + layout.pipeline()
                  + " micro-batches, and a step has "
                  + layout.accumulation(),
              "Nearest valid: "
                  + (below == 0 ? "" : below + " or ")
                  + above
                  + " micro-batches, by training.tokens_per_step or training.micro_batch; or set"
                  + " parallel.schedule to 1f1b"));
    }
  }

  private void replicate() {
    int groups = layout.replicate();
    if (layout.data() % groups != 0) {
      refuse(
          "replicate",
          groups,
          "the " + layout.data() + " data-parallel ranks do not divide into such groups",
          nearest(groups, it -> layout.data() % it == 0));
    }
  }

  private void expert() {
    int ranks = layout.expert();
    if (ranks == 1) {
      return;
    }
    MoeConfig moe = model.moe();
    if (moe == null) {
      refuse("expert", ranks, "the model has no experts", "1");
      return;
    }
    int spread = layout.data() / layout.replicate() * layout.context() * layout.tensor();
    IntPredicate fits = it -> moe.routedExperts() % it == 0 && spread % it == 0;
    if (moe.routedExperts() % ranks != 0) {
      refuse("expert", ranks, moe.routedExperts() + " experts do not divide", nearest(ranks, fits));
    } else if (spread % ranks != 0) {
      refuse(
          "expert",
          ranks,
          (layout.replicate() > 1 ? "data / replicate" : "data")
              + " × context × tensor = "
              + spread
              + " ranks do not divide into such groups",
          nearest(ranks, fits));
    }
  }

  private void context(int length) {
    int ranks = layout.context();
    if (ranks > 1 && length % (2 * ranks) != 0) {
      long multiple = 2L * ranks;
      long below = length / multiple * multiple;
      refuse(
          "context",
          ranks,
          "sequences of " + length + " tokens do not divide into " + 2 * ranks + " chunks",
          nearest(ranks, it -> length % (2 * it) == 0)
              + ", or data.sequence_length "
              + (below == 0 ? "" : below + " or ")
              + (below + multiple));
    }
  }

  private void refuse(String axis, int asked, String problem, String nearest) {
    misfits.add(
        new Misfit(
            axis,
            "parallel." + axis + " is " + asked + ", but " + problem,
            "Nearest valid: " + nearest));
  }

  /** The nearest numbers of ranks that fit, below and above. */
  private static String nearest(int asked, IntPredicate fits) {
    int below = asked - 1;
    while (below > 1 && !fits.test(below)) {
      below--;
    }
    int above = asked + 1;
    while (above <= 2 * asked && !fits.test(above)) {
      above++;
    }
    return Math.max(1, below) + (above <= 2 * asked ? " or " + above : "");
  }
}
