package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Plural;
import dev.duoka.base.Progress;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.layout.Layout;
import dev.duoka.layout.LossKind;
import dev.duoka.layout.Method;
import dev.duoka.layout.Offload;
import dev.duoka.layout.Precision;
import dev.duoka.layout.Recompute;
import dev.duoka.parallel.mesh.Mesh;
import dev.duoka.parallel.plan.LayoutCheck;
import dev.duoka.parallel.step.InferenceRank;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.FieldProblem;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.PlacedRanks;
import dev.duoka.train.memory.GenerationMemory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A model that continues text on several devices, each with a part of it: for one that no device
 * can hold. The axes tensor, pipeline and expert share it out; the ranks load their parts, write
 * one text and end.
 */
public final class MeshGenerator {
  /** A number that every number up to 16 divides. */
  private static final int DIVIDED = 720_720;

  private final NamedModel model;
  private final ModelConfig config;
  private final Tokenizer tokenizer;
  private final ParallelSettings parallel;
  private final DevicePlacement placement;
  private final Dtype dtype;
  private final boolean countsMemory;

  /**
   * A model on a mesh. Nothing is loaded yet.
   *
   * @param path as {@link Generator#open} takes it
   * @param parallel axes, stages and what carries tensors; nothing that is for training alone
   * @param placement a device for each rank; bf16 on GPUs, where it is fast, fp32 on the CPU
   * @param listener hears of damaged checkpoints that were passed over
   * @throws DuokaException when the model does not admit the mesh, or writing text has no use for a
   *     part of it
   */
  public MeshGenerator(
      Path path,
      ParallelSettings parallel,
      DevicePlacement placement,
      Consumer<CheckpointEvent> listener) {
    this(path, Optional.empty(), Optional.empty(), parallel, placement, listener);
  }

  /**
   * As the other constructor, of a base with an adapter.
   *
   * @param path of the base where there is an adapter
   * @param adapter a folder in PEFT's form, or a run; which base it names has no meaning, but one
   *     of our runs must have been trained on this one
   * @param form of the base, as {@link Generator#open} takes it
   */
  public MeshGenerator(
      Path path,
      Optional<Path> adapter,
      Optional<BaseForm> form,
      ParallelSettings parallel,
      DevicePlacement placement,
      Consumer<CheckpointEvent> listener) {
    this(
        NamedModel.of(path, adapter.stream().toList(), form, listener).getFirst(),
        ofWriting(parallel),
        placement,
        true);
  }

  private MeshGenerator(
      NamedModel model,
      ParallelSettings parallel,
      DevicePlacement placement,
      boolean countsMemory) {
    this.countsMemory = countsMemory;
    this.model = model;
    this.config = model.config();
    this.parallel = parallel;
    this.placement = placement;
    this.dtype = placement.of(0).isCuda() ? Dtype.BFLOAT16 : Dtype.FLOAT32;
    FieldProblem.throwIfAny("this mesh", problems());
    this.tokenizer = Tokenizer.load(TokenizerFiles.nameIn(model.tokenizerFolder()));
  }

  /**
   * The model of a run that has just ended in this process, on as few of its devices as hold one
   * copy. Its memory is not counted: what the run has freed is there, but not with the driver.
   *
   * @param run the run's folder
   * @param listener as in the constructor
   */
  public static MeshGenerator after(
      RunConfig config, Path run, Consumer<CheckpointEvent> listener) {
    ParallelSettings mesh = config.parallel().ofOneCopy();
    return new MeshGenerator(
        NamedModel.of(run, List.of(), Optional.empty(), listener).getFirst(),
        mesh,
        DevicePlacement.choose(config.device(), mesh.mesh()),
        false);
  }

  /** The same; refused where it says something that only training heeds. */
  private static ParallelSettings ofWriting(ParallelSettings parallel) {
    Map<String, Boolean> given = new LinkedHashMap<>();
    given.put("zero", parallel.zero() > 0);
    given.put("replicate", parallel.replicate() > 1);
    given.put("blocks_per_bucket", parallel.blocksPerBucket() > 1);
    given.put("schedule", !parallel.schedule().isDefault());
    given.put("stages_per_rank", parallel.stagesPerRank().orElse(1) > 1);
    List<FieldProblem> problems = new ArrayList<>();
    given.forEach(
        (field, isGiven) -> {
          if (isGiven) {
            problems.add(
                new FieldProblem(
                    "parallel." + field,
                    "parallel." + field + " is for training: writing text has no use for it",
                    "Remove it; tensor, pipeline and expert share the weights out."));
          }
        });
    FieldProblem.throwIfAny("this mesh", problems);
    return parallel;
  }

  private List<FieldProblem> problems() {
    if (parallel.context() > 1) {
      return List.of(
          new FieldProblem(
              "parallel.context",
              "parallel.context is "
                  + parallel.context()
                  + ", but a text is written token by token, which cannot be cut into chunks",
              "Give those ranks to tensor or pipeline"));
    }
    Layout layout =
        new Layout(
            parallel.data(),
            parallel.tensor(),
            parallel.pipeline(),
            parallel.expert(),
            1,
            0,
            1,
            1,
            Recompute.NONE,
            Offload.NONE,
            LossKind.CHUNKED,
            Precision.FP32,
            Method.FULL);
    // Rows are on every rank: any length will do, and one that all ranks divide is not refused.
    return LayoutCheck.of(config, layout, DIVIDED, OptionalInt.empty(), parallel.stages()).stream()
        .map(it -> new FieldProblem("parallel." + it.axis(), it.problem(), it.remedy()))
        .toList();
  }

  private Mesh mesh() {
    return new Mesh(
        parallel.pipeline(), 1, parallel.data(), 1, parallel.tensor(), parallel.expert());
  }

  /**
   * Continues a text.
   *
   * @param output hears the new text bit by bit; what it throws ends all ranks and is thrown
   */
  public Generation generate(String prompt, Sampling sampling, Consumer<String> output) {
    Continuation text =
        new Continuation(
            Arrays.stream(tokenizer.encodeWithSpecialTokens(prompt)).boxed().toList(),
            sampling,
            tokenizer,
            EndTokens.of(model.tokenizerFolder(), tokenizer, config));
    text.require(config);
    if (countsMemory) {
      new GenerationMemory(config, dtype, mesh(), parallel.stages(), placement.devices())
          .requireModelAndText(
              text.prompt().size(), (long) text.prompt().size() + text.limit(config));
    }
    return GenerationMemory.during(
        "writing a text with " + Plural.of(placement.devices().size(), "rank"),
        "Share the model out over more devices with --mesh, or ask for fewer tokens",
        () -> write(text, output));
  }

  private Generation write(Continuation text, Consumer<String> output) {
    AtomicReference<@Nullable Generation> written = new AtomicReference<>();
    PlacedRanks.of(parallel, placement)
        .run(
            (world, device) -> {
              try (InferenceRank rank =
                      InferenceRank.allocate(
                          mesh(), parallel.stages(), world, device, config, dtype);
                  StoredModel stored = model.open()) {
                stored.read(rank.model(), Progress.NONE);
                Generation mine = text.write(rank, world.rank() == 0 ? output : _ -> {});
                if (world.rank() == 0) {
                  written.set(mine);
                }
              }
            });
    return Objects.requireNonNull(written.get(), "the first rank has written nothing");
  }
}
