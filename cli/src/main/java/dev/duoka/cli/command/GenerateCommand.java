package dev.duoka.cli.command;

import dev.duoka.cli.console.ProgressLine;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.config.MeshOption;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.device.DevicePlacement;
import dev.duoka.train.device.SingleDevice;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.MeshGenerator;
import dev.duoka.train.generate.Sampling;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka generate}: lets a trained model write. */
@Command(
    name = "generate",
    description = {
      "Write text with a trained model.",
      "RUN is a run's folder (its newest valid checkpoint is taken), a checkpoint, or a folder in"
          + " Hugging Face's form with weights and tokenizer.",
      "With --mesh several devices share the model out, for one that none of them can hold."
    })
final class GenerateCommand implements Runnable {
  @Parameters(index = "0", paramLabel = "RUN", description = "Where the model is.")
  private Path run = Path.of(".");

  @Option(names = "--prompt", paramLabel = "TEXT", required = true, description = "How it begins.")
  private String prompt = "";

  @Option(
      names = "--tokens",
      paramLabel = "N",
      defaultValue = "200",
      description = "The most tokens to write; 200 by default.")
  private int tokens = 200;

  @Option(
      names = "--temperature",
      paramLabel = "T",
      defaultValue = "0.8",
      description = "Divides the logits; 0 always takes the likeliest token. 0.8 by default.")
  private double temperature = 0.8;

  @Option(
      names = "--top-k",
      paramLabel = "K",
      defaultValue = "0",
      description = "Sample from the K likeliest tokens only; 0 (default) for all.")
  private int topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      defaultValue = "1.0",
      description = "Sample from the likeliest tokens that together have probability P.")
  private double topP = 1;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Seed of the sampling; 0 by default.")
  private long seed;

  @Option(
      names = "--device",
      paramLabel = "DEVICE",
      defaultValue = "cpu",
      description = "cpu (default), cuda, or one GPU such as cuda:0.")
  private String device = "cpu";

  @Option(
      names = "--mesh",
      paramLabel = "AXIS=N,…",
      description =
          "Ranks along tensor, pipeline and, with data, expert: tensor=2, or data=2,expert=2. Each"
              + " on a GPU of its own where there are enough, else several on one.")
  private @Nullable String mesh;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = spec.commandLine().getErr();
    Sampling sampling = new Sampling(temperature, topK, topP, seed, tokens);
    Consumer<CheckpointEvent> listener = event -> notes.println("note     " + event.text());
    Consumer<String> output =
        text -> {
          out.print(text);
          out.flush();
        };
    if (mesh == null) {
      try (Generator generator = load(listener, notes)) {
        out.print(prompt);
        generator.generate(prompt, sampling, output);
      }
    } else {
      ParallelSettings parallel = MeshOption.parse(mesh);
      DevicePlacement placement =
          DevicePlacement.shared(SingleDevice.choice(device), parallel.mesh());
      MeshGenerator generator = new MeshGenerator(run, parallel, placement, listener);
      out.print(prompt);
      generator.generate(prompt, sampling, output);
    }
    out.println();
    out.flush();
  }

  private Generator load(Consumer<CheckpointEvent> listener, PrintWriter notes) {
    try (ProgressLine line = ProgressLine.open("loading the model", notes)) {
      return Generator.open(run, SingleDevice.parse(device), listener, line);
    }
  }
}
