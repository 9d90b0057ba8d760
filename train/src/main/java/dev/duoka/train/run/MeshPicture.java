package dev.duoka.train.run;

import dev.duoka.base.Plural;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.step.RankBuilder;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Shows for people which rank of a run does what. */
public final class MeshPicture {
  private final Mesh mesh;
  private final ModelConfig model;
  private final StepSettings settings;

  private MeshPicture(Mesh mesh, ModelConfig model, StepSettings settings) {
    this.mesh = mesh;
    this.model = model;
    this.settings = settings;
  }

  /**
   * A few lines: the axes, the processes if there are several, then each pipeline rank with its
   * layers and ranks; none for one rank.
   *
   * @throws dev.duoka.base.DuokaException {@code CONFIG} when the processes that the environment
   *     speaks of cannot share the ranks
   */
  public static List<String> of(RunConfig config) {
    return of(config, ProcessPlace.of(System.getenv()));
  }

  static List<String> of(RunConfig config, ProcessPlace place) {
    Mesh mesh = Mesh.of(config.layout());
    if (mesh.size() == 1) {
      return List.of();
    }
    ModelConfig model = ModelSource.config(config.model());
    StepSettings settings = new RankBuilder(config, model, null).settings();
    return new MeshPicture(mesh, model, settings).lines(processes(config, place, mesh.size()));
  }

  /** How the ranks are shared out; empty for one process. */
  private static Optional<String> processes(RunConfig config, ProcessPlace place, int ranks) {
    OptionalInt each = config.launch().ranksPerProcess().count();
    if (place.isAlone()) {
      int count = ranks / each.orElse(ranks);
      return count == 1
          ? Optional.empty()
          : Optional.of("  " + shared(count, ranks / count) + ", to be started together");
    }
    RankRange own = place.ranks(ranks, each);
    int last = own.first() + own.count() - 1;
    return Optional.of(
        "  "
            + shared(place.processes(), own.count())
            + "; this one is process "
            + place.process()
            + ", with "
            + (own.count() == 1 ? "rank " + last : "ranks " + own.first() + "–" + last));
  }

  private static String shared(int processes, int each) {
    return Plural.of(processes, "process", "processes")
        + " of "
        + Plural.of(each, "rank")
        + " each";
  }

  private List<String> lines(Optional<String> processes) {
    List<String> lines = new ArrayList<>();
    String axes =
        EnumSet.allOf(Mesh.Axis.class).stream()
            .filter(axis -> mesh.size(axis) > 1)
            .map(axis -> name(axis) + " " + mesh.size(axis))
            .collect(Collectors.joining(" × "));
    lines.add(
        Plural.of(mesh.size(), "rank")
            + ": "
            + axes
            + (mesh.expert() > 1 ? ", experts over groups of " + mesh.expert() : "")
            + ", ZeRO "
            + settings.zeroStage());
    processes.ifPresent(lines::add);
    int perStage = mesh.size() / mesh.pipeline();
    for (int stage = 0; stage < mesh.pipeline(); stage++) {
      lines.add("  " + layers(stage * perStage) + ": " + ranks(stage * perStage));
    }
    return lines;
  }

  private static String name(Mesh.Axis axis) {
    return switch (axis) {
      case PIPELINE -> "pipeline";
      case REPLICATE -> "replicas";
      case SHARD -> "data";
      case CONTEXT -> "context";
      case TENSOR -> "tensor";
    };
  }

  /** The layers of a rank's stages, counted from 0. */
  private String layers(int rank) {
    RankPlan plan =
        settings
            .pipeline()
            .plan(
                mesh,
                rank,
                model,
                settings.sequenceLength(),
                settings.auxiliary().predictionDepth());
    String layers =
        plan.blocks().stream()
            .map(
                range -> {
                  int first = Math.max(0, range.first() - BlockRange.ofLayer(0));
                  int last = Math.min(model.layers(), range.end() - BlockRange.ofLayer(0)) - 1;
                  return first == last ? "" + first : first + "–" + last;
                })
            .collect(Collectors.joining(" and "));
    return "layers " + layers;
  }

  /** Each data rank with the ranks that share its sequences, tensor ranks joined by a bar. */
  private String ranks(int first) {
    List<String> data = new ArrayList<>();
    int each = mesh.context() * mesh.tensor();
    for (int dataRank = 0; dataRank < mesh.data(); dataRank++) {
      int start = first + dataRank * each;
      data.add(
          "data "
              + dataRank
              + " = "
              + IntStream.range(0, mesh.context())
                  .mapToObj(
                      context ->
                          IntStream.range(0, mesh.tensor())
                              .mapToObj(tensor -> "" + (start + context * mesh.tensor() + tensor))
                              .collect(Collectors.joining("|")))
                  .collect(Collectors.joining(" ~ ")));
    }
    return String.join(", ", data);
  }
}
