package dev.duoka.experiment.tune;

import dev.duoka.base.DuokaException;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.MoeConfig;
import dev.duoka.layout.Dispatcher;
import dev.duoka.layout.Layout;
import dev.duoka.layout.Offload;
import dev.duoka.layout.OffloadUpdate;
import dev.duoka.layout.PipelineKind;
import dev.duoka.train.config.BatchPlan;
import dev.duoka.train.config.ModelSource;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.config.binding.FieldChange;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A layout's settings in a run file, and those beside them. */
final class LayoutSettings {
  private static final String MICRO_BATCH = "training.micro_batch";
  private static final String RECOMPUTE = "training.recompute";
  private static final String ZERO = "parallel.zero";
  private static final String BUCKETS = "parallel.blocks_per_bucket";
  private static final String SCHEDULE = "parallel.schedule";
  private static final String STAGES = "parallel.stages_per_rank";
  private static final String COLLECTIVES = "parallel.collectives";
  private static final String DISPATCHER = "parallel.dispatcher";
  private static final String OFFLOAD = "memory.offload";
  private static final String OFFLOAD_UPDATE = "memory.offload_update";
  private static final String OFFLOAD_FRACTION = "memory.offload_fraction";

  /**
   * Variables of NCCL that can make a step within a machine faster: fewer of a card's processors
   * that exchange leave more to products beside them, more carry more. What else it has is for
   * several machines, is chosen by it for each size, or can make it hang.
   */
  private static final Map<String, String> NCCL =
      new TreeMap<>(Map.of("NCCL_MAX_CTAS", "8", "NCCL_MIN_CTAS", "32"));

  private LayoutSettings() {}

  /** Those settings of a layout that the run file has otherwise. */
  static Candidate of(Path file, RunConfig config, Layout layout) {
    Candidate all = of(layout);
    try {
      RunConfig changed = RunFile.read(file, all.overrides());
      Candidate some =
          all.only(RunFile.changes(config, changed).stream().map(FieldChange::key).toList());
      // A default may follow from another field.
      return RunFile.changes(changed, RunFile.read(file, some.overrides())).isEmpty() ? some : all;
    } catch (DuokaException e) { // it is no run file, and nobody tries it
      return all;
    }
  }

  /** The settings of a layout, all that decide over it. */
  private static Candidate of(Layout layout) {
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("parallel.data", String.valueOf(layout.data()));
    settings.put("parallel.tensor", String.valueOf(layout.tensor()));
    settings.put("parallel.pipeline", String.valueOf(layout.pipeline()));
    settings.put("parallel.expert", String.valueOf(layout.expert()));
    settings.put("parallel.context", String.valueOf(layout.context()));
    settings.put("parallel.replicate", String.valueOf(layout.replicate()));
    settings.put(ZERO, String.valueOf(layout.zero()));
    settings.put(BUCKETS, String.valueOf(layout.blocksPerBucket()));
    if (layout.pipeline() > 1) {
      settings.put(SCHEDULE, layout.order().kind().toString());
      settings.put(STAGES, String.valueOf(layout.order().stagesPerRank()));
    }
    settings.put(MICRO_BATCH, String.valueOf(layout.microBatch()));
    settings.put(RECOMPUTE, layout.recompute().toString());
    settings.put(OFFLOAD, layout.offload().toString());
    boolean away = layout.offload() != Offload.NONE;
    settings.put(OFFLOAD_UPDATE, away ? layout.offloadUpdate().toString() : "device");
    settings.put(OFFLOAD_FRACTION, String.valueOf(layout.offloadFraction()));
    return new Candidate(settings);
  }

  /** Those that differ from a candidate in one setting and that the run file admits. */
  static List<Candidate> around(Path file, RunConfig config, Candidate centre) {
    RunConfig there = RunFile.read(file, centre.overrides());
    Set<Candidate> all = new LinkedHashSet<>();
    int microBatch = BatchPlan.of(there).microBatch();
    add(all, centre, MICRO_BATCH, String.valueOf(2 * microBatch));
    if (microBatch > 1) {
      add(all, centre, MICRO_BATCH, String.valueOf(microBatch / 2));
    }
    others(there.training().recompute(), "none", "selective", "full")
        .forEach(value -> add(all, centre, RECOMPUTE, value));
    if (there.parallel().ranks() > 1) {
      others(there.parallel().zero(), "0", "1", "2", "3")
          .forEach(value -> add(all, centre, ZERO, value));
      others(there.parallel().collectives(), "peer", "nccl")
          .forEach(value -> add(all, centre, COLLECTIVES, value));
    }
    ModelConfig model = ModelSource.config(there);
    buckets(all, centre, there.parallel(), model.layers());
    MoeConfig moe = model.moe();
    if (moe != null && there.parallel().expert() > 1) {
      Dispatcher now = there.parallel().dispatcherOf(moe);
      others(now, "all_gather", "all_to_all").forEach(value -> add(all, centre, DISPATCHER, value));
    }
    if (there.parallel().collectives() == ParallelSettings.Collectives.NCCL) {
      NCCL.forEach(
          (name, value) -> {
            if (!there.environment().containsKey(name)) {
              add(all, centre, "environment." + name, value);
            }
          });
    }
    if (there.parallel().pipeline() > 1) {
      others(there.parallel().order().kind(), kinds())
          .forEach(
              kind ->
                  all.add(
                      centre
                          .with(SCHEDULE, kind)
                          .with(STAGES, kind.equals(interleaved()) ? "2" : "1")));
    }
    if (there.memory().offload() == Offload.NONE) {
      add(all, centre, OFFLOAD, "optimizer");
    } else {
      all.add(
          centre
              .with(OFFLOAD, "none")
              .with(OFFLOAD_UPDATE, "device")
              .with(OFFLOAD_FRACTION, "1.0"));
      others(there.memory().offloadUpdate(), "device", "host")
          .forEach(
              value -> all.add(centre.with(OFFLOAD_UPDATE, value).with(OFFLOAD_FRACTION, "1.0")));
      if (there.memory().offloadUpdate() == OffloadUpdate.DEVICE) {
        others(there.memory().offloadFraction(), "0.25", "0.5", "0.75", "1.0")
            .forEach(value -> add(all, centre, OFFLOAD_FRACTION, value));
      }
    }
    List<Candidate> admitted = new ArrayList<>();
    all.stream()
        .filter(candidate -> Choices.admits(file, config, candidate))
        .forEach(admitted::add);
    return admitted;
  }

  /** Twice and half as many blocks in a bucket, where buckets are exchanged. */
  private static void buckets(
      Set<Candidate> all, Candidate centre, ParallelSettings parallel, int layers) {
    int now = parallel.blocksPerBucket();
    int ofStage = layers / parallel.pipeline() / parallel.stagesOfRank();
    if (parallel.exchangesBuckets() && 2 * now <= ofStage) {
      add(all, centre, BUCKETS, String.valueOf(2 * now));
    }
    if (now > 1) {
      add(all, centre, BUCKETS, String.valueOf(now / 2));
    }
  }

  private static String interleaved() {
    return PipelineKind.INTERLEAVED.toString();
  }

  private static String[] kinds() {
    return Stream.of(PipelineKind.values()).map(PipelineKind::toString).toArray(String[]::new);
  }

  private static void add(Set<Candidate> all, Candidate centre, String key, String value) {
    all.add(centre.with(key, value));
  }

  private static Stream<String> others(Object value, String... values) {
    return Stream.of(values).filter(other -> !other.equals(value.toString()));
  }
}
