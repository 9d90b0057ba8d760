package dev.duoka.train.placement;

import dev.duoka.base.Plural;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.comm.launch.RankRange;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.machine.topology.Block;
import dev.duoka.model.weight.BlockRange;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.RankPlan;
import dev.duoka.parallel.step.StepSettings;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.step.RankBuilder;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Draws a mesh: a box for each stage with its layers, in it the ranks with their devices, and below
 * which ranks exchange over what.
 */
public final class MeshPicture {
  /** Columns of the boxes; what is printed before a line has place beside them. */
  private static final int WIDTH = 94;

  private final MeshPlacement placement;
  private final Mesh mesh;
  private final ModelConfig model;
  private final StepSettings settings;

  private MeshPicture(MeshPlacement placement, ModelConfig model, StepSettings settings) {
    this.placement = placement;
    this.mesh = placement.mesh();
    this.model = model;
    this.settings = settings;
  }

  /**
   * The lines, at most 96 columns wide; of one rank, where it is.
   *
   * @param placement of the same run
   * @throws dev.duoka.base.DuokaException {@code CONFIG} when the processes that the environment
   *     speaks of cannot share the ranks
   */
  public static List<String> of(RunConfig config, MeshPlacement placement) {
    return of(config, placement, ProcessPlace.of(System.getenv()));
  }

  static List<String> of(RunConfig config, MeshPlacement placement, ProcessPlace place) {
    ModelConfig model = ModelSource.config(config);
    StepSettings settings = new RankBuilder(config, model, null).settings();
    MeshPicture picture = new MeshPicture(placement, model, settings);
    List<String> lines = new ArrayList<>();
    if (placement.mesh().size() == 1) {
      lines.add("1 rank on " + picture.device(placement.seats().getFirst()));
    } else {
      lines.add(picture.axes());
      if (placement.processes() > 1) {
        lines.add(picture.processes(config, place));
      }
      picture.stages().lines().forEach(line -> lines.add(line.stripTrailing()));
      lines.addAll(picture.ways());
    }
    placement.notices().forEach(notice -> lines.addAll(Lines.of(notice)));
    return lines;
  }

  private String axes() {
    String axes =
        EnumSet.allOf(Mesh.Axis.class).stream()
            .filter(axis -> mesh.size(axis) > 1)
            .map(axis -> name(axis) + " " + mesh.size(axis))
            .collect(Collectors.joining(" × "));
    return Plural.of(mesh.size(), "rank")
        + ": "
        + axes
        + (mesh.expert() > 1 ? ", experts over groups of " + mesh.expert() : "")
        + ", ZeRO "
        + settings.zeroStage()
        + switch (placement.order()) {
          case CPU -> "; ranks are threads on the CPU";
          case SHARED -> "; all on one GPU";
          case NAMED -> "; on the GPUs that the run file names";
          case LINKS -> "; on GPUs by their links";
          case PLAIN -> "; on the first GPUs, as their links are not known";
          case ASSUMED -> "; a GPU for each is assumed";
          case MISSING -> "; the machine does not have the GPUs";
        };
  }

  private String processes(RunConfig config, ProcessPlace place) {
    int each = mesh.size() / placement.processes();
    String shared =
        Plural.of(placement.processes(), "process", "processes")
            + " of "
            + Plural.of(each, "rank")
            + " each";
    if (place.isAlone()) {
      return shared + ", to be started together";
    }
    RankRange own = place.ranks(mesh.size(), config.launch().ranksPerProcess().count());
    int last = own.first() + own.count() - 1;
    return shared
        + "; this one is process "
        + place.process()
        + ", with "
        + (own.count() == 1 ? "rank " + last : "ranks " + own.first() + "–" + last);
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

  private Block stages() {
    int each = mesh.size() / mesh.pipeline();
    List<Block> stages = new ArrayList<>();
    for (int stage = 0; stage < mesh.pipeline(); stage++) {
      String title = (mesh.pipeline() > 1 ? stages(stage) + ", " : "") + layers(stage * each);
      stages.add(Block.box(title, Block.flow(dataRanks(stage * each), WIDTH - 4)));
    }
    return Block.flow(stages, WIDTH);
  }

  /** The stages of a pipeline rank, for example {@code stages 0 and 2}. */
  private String stages(int pipelineRank) {
    List<Integer> ranks = settings.pipeline().rankOfStages(mesh.pipeline());
    List<String> own =
        IntStream.range(0, ranks.size())
            .filter(stage -> ranks.get(stage) == pipelineRank)
            .mapToObj(String::valueOf)
            .toList();
    return (own.size() == 1 ? "stage " : "stages ") + String.join(" and ", own);
  }

  private List<Block> dataRanks(int first) {
    int each = mesh.context() * mesh.tensor();
    List<Block> data = new ArrayList<>();
    for (int rank = 0; rank < mesh.data(); rank++) {
      Block ranks = ranks(first + rank * each);
      data.add(mesh.data() > 1 ? Block.box("data " + rank, ranks) : ranks);
    }
    return data;
  }

  /** The ranks that share a data rank's sequences, each joined to the one before. */
  private Block ranks(int first) {
    List<Block> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (int i = 0; i < mesh.context() * mesh.tensor(); i++) {
      String cell = (i == 0 ? "" : join(first + i)) + cell(placement.seats().get(first + i));
      if (line.length() + cell.length() > WIDTH - 8) {
        lines.add(Block.of(line.toString()));
        line.setLength(0);
      }
      line.append(cell);
    }
    lines.add(Block.of(line.toString()));
    return Block.below(lines);
  }

  private String join(int rank) {
    if (rank % mesh.tensor() == 0) {
      return " ~ ";
    }
    return placement.between(rank - 1, rank).isNvlink() ? " ═ " : " ─ ";
  }

  private String cell(Seat seat) {
    String device =
        seat.gpu().isPresent()
            ? " GPU" + seat.gpu().getAsInt()
            : placement.order() == MeshPlacement.Order.CPU ? " thread" : "";
    boolean nodes = placement.seats().getLast().node() > 0;
    return seat.rank()
        + device
        + (placement.processes() > 1 ? " p" + seat.process() : "")
        + (nodes && seat.gpu().isPresent() ? " m" + seat.node() : "");
  }

  private String device(Seat seat) {
    return seat.gpu().isPresent()
        ? "GPU " + seat.gpu().getAsInt() + seat.card().map(name -> " (" + name + ")").orElse("")
        : placement.order() == MeshPlacement.Order.CPU ? "the CPU" : "a GPU";
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

  /** The way of activations over the ranks of a pipeline. */
  private String path(List<Integer> ranks) {
    List<Integer> way = new ArrayList<>();
    boolean inOrder = settings.pipeline().table().isEmpty();
    List<Integer> ofStages = settings.pipeline().rankOfStages(mesh.pipeline());
    for (int rank : inOrder ? ofStages.subList(0, mesh.pipeline()) : ofStages) {
      if (way.isEmpty() || !way.getLast().equals(ranks.get(rank))) {
        way.add(ranks.get(rank));
      }
    }
    return way.stream().map(String::valueOf).collect(Collectors.joining("→"));
  }

  /** Of a group that fills more than a line its beginning and end. */
  private static String shortened(String group) {
    int longest = WIDTH - 30;
    if (group.length() <= longest) {
      return group;
    }
    String end = group.substring(group.length() - 12);
    return group.substring(0, longest - 16) + "… " + end.substring(end.indexOf(' ') + 1);
  }

  /** For each axis and way the groups that exchange over it. */
  private List<String> ways() {
    Map<String, List<String>> groups = new LinkedHashMap<>();
    for (PlacedGroup group : placement.groups()) {
      String axis = group.exchange().axis();
      String key = axis + " ".repeat(10 - axis.length()) + group.slowest();
      String joined =
          group.exchange().isChain()
              ? path(group.ranks())
              : group.ranks().stream().map(String::valueOf).collect(Collectors.joining(" "));
      groups.computeIfAbsent(key, _ -> new ArrayList<>()).add(joined);
    }
    List<String> lines = new ArrayList<>();
    groups.forEach(
        (key, ranks) -> {
          String line = key + ":";
          for (String group : ranks) {
            String text = " [" + shortened(group) + "]";
            if (line.length() + text.length() > WIDTH) {
              lines.add(line);
              line = " ".repeat(9);
            }
            line += text;
          }
          lines.add(line);
        });
    return lines;
  }
}
