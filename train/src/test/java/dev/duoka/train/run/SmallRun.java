package dev.duoka.train.run;

import dev.duoka.data.shard.TokenisationProgress;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import dev.duoka.train.step.StepMetrics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** A run of a few steps on a small made-up corpus. */
final class SmallRun {
  static final String FILE =
      """
      model: {preset: tiny-v3}
      data: {sources: [%s], sequence_length: 32, validation_fraction: 0.2, cache: %s}
      training: {tokens_per_step: 512, micro_batch: 4, steps: 20}
      optimizer: {learning_rate: 3e-3}
      schedule: {kind: cosine, warmup_steps: 4}
      validation: {every_steps: 10, sequences: 8}
      checkpoint: {every_steps: 10, keep: 5}
      device: cpu
      threads: 1
      """;

  /** Wide enough to learn. */
  private static final String NARROW =
      "model.overrides={hidden_size: 64, intermediate_size: 128, moe_intermediate_size: 32,"
          + " q_lora_rank: 32, kv_lora_rank: 32, qk_nope_head_dim: 16, qk_rope_head_dim: 8,"
          + " v_head_dim: 16}";

  private SmallRun() {}

  /** Writes a corpus of 40 documents. */
  static Path corpus(Path folder) throws IOException {
    Path corpus = Files.createDirectories(folder.resolve("corpus"));
    SplittableRandom random = new SplittableRandom(7);
    for (int document = 0; document < 40; document++) {
      StringBuilder text = new StringBuilder();
      for (int word = 0; word < 120; word++) {
        text.append("value").append(random.nextInt(9)).append(word % 9 == 8 ? ";\n" : " = ");
      }
      Files.writeString(corpus.resolve("document" + document + ".txt"), text);
    }
    return corpus;
  }

  static RunConfig config(Path folder, String... overrides) throws IOException {
    List<String> all = new ArrayList<>(List.of(overrides));
    all.addFirst(NARROW);
    return wide(folder, all.toArray(String[]::new));
  }

  /** As {@link #config}, as wide as the preset: beside whose memory all else is small. */
  static RunConfig wide(Path folder, String... overrides) throws IOException {
    Path corpus = folder.resolve("corpus");
    if (!Files.exists(corpus)) {
      corpus(folder);
    }
    return RunFile.parse(
        "small.yaml", FILE.formatted(corpus, folder.resolve("cache")), List.of(overrides));
  }

  static RunResult run(RunConfig config, Path runDir, Listener listener) {
    return run(config, runDir, listener, 0, false);
  }

  static RunResult run(
      RunConfig config, Path runDir, Listener listener, long maxSteps, boolean resume) {
    OptionalLong limit = maxSteps == 0 ? OptionalLong.empty() : OptionalLong.of(maxSteps);
    RunOptions options = new RunOptions(limit, Optional.of(runDir), resume);
    Trainer trainer = new Trainer(config, options, runDir, listener);
    listener.trainer = trainer;
    return trainer.run();
  }

  /** Keeps what a run reports. */
  static class Listener implements RunListener {
    final List<StepMetrics> steps = new ArrayList<>();
    final List<String> notices = new ArrayList<>();
    final List<ValidationResult> validations = new ArrayList<>();
    String description = "";
    @Nullable Trainer trainer;

    void stopTrainer() {
      if (trainer != null) {
        trainer.stop();
      }
    }

    List<Double> losses() {
      return steps.stream().map(StepMetrics::loss).toList();
    }

    @Override
    public void notice(String message) {
      notices.add(message);
    }

    @Override
    public void tokenising(TokenisationProgress progress) {}

    @Override
    public void started(String description) {
      this.description = description;
    }

    @Override
    public void step(StepMetrics metrics, long totalSteps, double remainingSeconds) {
      steps.add(metrics);
    }

    @Override
    public void validated(long step, ValidationResult result) {
      validations.add(result);
    }

    @Override
    public void saved(String message) {}

    @Override
    public void sample(String text) {}

    @Override
    public void reached(String what, long done, long total) {}
  }
}
