package dev.duoka.train.generate;

import dev.duoka.base.DuokaException;
import dev.duoka.base.Plural;
import dev.duoka.base.Progress;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.memory.GenerationMemory;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A model that continues text on several devices, each with a part of it: for one that no device
 * can hold. The axes tensor, pipeline and expert share it out; the ranks load their parts, write
 * one text and end.
 */
public final class MeshGenerator {
  private final NamedModel model;
  private final ModelConfig config;
  private final Tokenizer tokenizer;
  private final WritingMesh mesh;
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
        WritingMesh.of(parallel, placement),
        true);
  }

  private MeshGenerator(NamedModel model, WritingMesh mesh, boolean countsMemory) {
    this.countsMemory = countsMemory;
    this.model = model;
    this.config = model.config();
    this.mesh = mesh;
    mesh.require(config);
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
        new WritingMesh(mesh, DevicePlacement.choose(config.device(), mesh.mesh())),
        false);
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
      mesh.memory(config)
          .requireModelAndText(
              text.prompt().size(), (long) text.prompt().size() + text.limit(config));
    }
    return GenerationMemory.during(
        "writing a text with " + Plural.of(mesh.mesh().size(), "rank"),
        "Share the model out over more devices with --mesh, or ask for fewer tokens",
        () -> write(text, output));
  }

  private Generation write(Continuation text, Consumer<String> output) {
    try (MeshRanks ranks = MeshRanks.load(mesh, model, Progress.NONE)) {
      return ranks.write(text, output);
    }
  }
}
