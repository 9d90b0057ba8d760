package dev.duoka.cli.command;

import dev.duoka.base.Progress;
import dev.duoka.cli.console.TrainingConsole;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.SampleSettings;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.MeshGenerator;
import dev.duoka.train.generate.Sampling;
import java.nio.file.Path;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** The text that a run writes at its end, from the checkpoint that it has just saved. */
final class TrainingSample {
  private TrainingSample() {}

  /**
   * Writes the sample: on the CPU, which is fast enough for a few hundred tokens, or where no rank
   * of the run has the whole model, on the run's devices by ranks with the same parts.
   *
   * @param stop asked after each bit of text: true ends it
   */
  static void print(
      RunConfig config,
      SampleSettings settings,
      Path runDir,
      TrainingConsole console,
      BooleanSupplier stop) {
    Sampling sampling = new Sampling(settings.temperature(), 0, 1, 0, settings.tokens());
    Consumer<String> output =
        text -> {
          console.sample(text);
          if (stop.getAsBoolean()) {
            throw new Stopped();
          }
        };
    console.sample("\n--- sample ---\n" + settings.prompt());
    try {
      if (config.parallel().sharesModelOut()) {
        MeshGenerator.after(config, runDir, event -> console.notice(event.text()))
            .generate(settings.prompt(), sampling, output);
      } else {
        try (Generator generator =
            Generator.open(
                runDir, SingleDevice.CPU, event -> console.notice(event.text()), Progress.NONE)) {
          generator.generate(settings.prompt(), sampling, output);
        }
      }
    } catch (Stopped e) {
      console.sample(" …");
    }
    console.sample("\n--------------\n\n");
  }

  /** Ends the sample early; nothing is wrong. */
  private static final class Stopped extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Stopped() {
      super("stopped", null, false, false);
    }
  }
}
