package dev.duoka.cli.command;

import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.json.Json;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.config.ParallelSettings;
import dev.duoka.train.generate.Generator;
import dev.duoka.train.generate.MeshGenerator;
import dev.duoka.train.generate.Sampling;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka generate}: lets a trained model write. */
@Command(
    name = "generate",
    description = {
      "Write text with a trained model.",
      "RUN is a run's folder (its newest valid checkpoint is taken), a checkpoint, or a folder in"
          + " Hugging Face's form with weights and tokenizer.",
      "With --mesh several devices share the model out, for one that none of them can hold.",
      "Example: duoka generate runs/demo --prompt \"Once upon\""
    })
final class GenerateCommand implements Runnable {
  @Parameters(index = "0", paramLabel = "RUN", description = "Where the model is.")
  private Path run = Path.of(".");

  @Option(names = "--prompt", paramLabel = "TEXT", required = true, description = "How it begins.")
  private String prompt = "";

  @Option(
      names = "--adapter",
      paramLabel = "DIR",
      description = "An adapter of RUN, which is its base then: a folder in PEFT's form or a run.")
  private @Nullable Path adapter;

  @Option(
      names = "--base-form",
      paramLabel = "FORM",
      description =
          "How the base is kept beside an adapter in PEFT's form, which need not say it: nf4 for"
              + " one that was trained with load_in_4bit, nf4_single where"
              + " bnb_4bit_use_double_quant was off. Default: as it was trained where a run or its"
              + " export says so, else dense.")
  private @Nullable BaseForm form;

  @Mixin private SamplingOptions sampling = new SamplingOptions();

  @Mixin private WritingDevices devices = new WritingDevices();

  @Option(
      names = "--json",
      description = "Print one JSON object with the prompt and the text, at the end.")
  private boolean json;

  @Spec private CommandSpec spec;

  /** Whether a line has been begun. */
  private boolean shown;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = spec.commandLine().getErr();
    Sampling chosen = sampling.sampling();
    Consumer<CheckpointEvent> listener = event -> notes.println("note     " + event.text());
    StringBuilder written = new StringBuilder();
    Consumer<String> output =
        text -> {
          written.append(text);
          show(out, text);
        };
    boolean complete = false;
    try {
      write(chosen, output, listener);
      complete = true;
    } finally {
      if (!complete && shown) {
        out.println(); // what is said of the failure has a line of its own
        out.flush();
      }
    }
    if (json) {
      ObjectNode answer = Json.object();
      answer.put("prompt", prompt);
      answer.put("text", written.toString());
      out.print(Json.line(answer));
    }
    out.println();
    out.flush();
  }

  private void write(Sampling chosen, Consumer<String> output, Consumer<CheckpointEvent> listener) {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = spec.commandLine().getErr();
    Optional<ParallelSettings> mesh = devices.mesh();
    if (mesh.isEmpty()) {
      try (Generator generator = load(listener, notes)) {
        show(out, prompt);
        generator.generate(prompt, chosen, output);
      }
    } else {
      ParallelSettings parallel = mesh.get();
      MeshGenerator generator =
          new MeshGenerator(
              run,
              Optional.ofNullable(adapter),
              Optional.ofNullable(form),
              parallel,
              devices.placement(parallel),
              listener);
      show(out, prompt);
      generator.generate(prompt, chosen, output);
    }
  }

  /** Programs get all of it at the end. */
  private void show(PrintWriter out, String text) {
    if (!json) {
      shown = true;
      out.print(text);
      out.flush();
    }
  }

  private Generator load(Consumer<CheckpointEvent> listener, PrintWriter notes) {
    try (ProgressLine line = ProgressLine.open("loading the model", notes)) {
      return Generator.open(
          run,
          Optional.ofNullable(adapter).stream().toList(),
          Optional.ofNullable(form),
          devices.single(),
          listener,
          line);
    }
  }
}
