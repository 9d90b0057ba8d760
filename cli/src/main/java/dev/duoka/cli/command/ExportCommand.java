package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.export.ExportReport;
import dev.duoka.train.export.ExportSource;
import dev.duoka.train.export.HuggingFaceExport;
import dev.duoka.train.export.WeightFormat;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code duoka export}: writes a trained model in Hugging Face's form. */
@Command(
    name = "export",
    description = {
      "Write the newest valid checkpoint of a run as a Hugging Face model folder:",
      "config.json, safetensors, tokenizer. What is written is read back and compared.",
      "Example: duoka export runs/demo --output demo-hf"
    })
final class ExportCommand implements Runnable {
  @Parameters(index = "0", paramLabel = "RUN", description = "The run's folder, or a checkpoint.")
  private Path run = Path.of(".");

  @Option(
      names = "--output",
      paramLabel = "DIR",
      required = true,
      description = "The new folder; must not hold anything yet.")
  private Path output = Path.of(".");

  @Option(
      names = "--dtype",
      paramLabel = "DTYPE",
      description = "bf16, fp16 or fp32 (bf16, and fp32 of an adapter alone).")
  private @Nullable WeightFormat dtype;

  @Option(
      names = "--base",
      paramLabel = "DIR",
      description = "Where an adapter's base is, if it is no longer where it was.")
  private @Nullable Path base;

  @Option(
      names = "--adapter",
      description =
          "Write the adapter alone, in PEFT's form; without this it is merged into its base.")
  private boolean adapter;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter notes = spec.commandLine().getErr();
    ExportReport report;
    WeightFormat format = dtype != null ? dtype : adapter ? WeightFormat.FP32 : WeightFormat.BF16;
    ExportSource source = new ExportSource(run, Optional.ofNullable(base));
    try (ProgressLine line = ProgressLine.open("exporting", notes)) {
      Consumer<CheckpointEvent> listener =
          event -> {
            line.clear();
            notes.println("note     " + event.text());
          };
      report =
          adapter
              ? HuggingFaceExport.exportAdapter(source, output, format, listener)
              : HuggingFaceExport.export(source, output, format, listener, line);
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        json
            ? Json.line(report.json())
            : "Wrote "
                + report.tensors()
                + " tensors ("
                + report.dtype()
                + ", "
                + ByteSize.text(report.bytes())
                + ") of "
                + report.source()
                + " to "
                + report.folder());
    out.flush();
    report.readers().ifPresent(readers -> notes.println("note     " + readers));
    report.base().ifPresent(base -> notes.println("note     " + base));
    notes.flush();
  }
}
