package dev.duoka.cli.command;

import dev.duoka.base.ByteSize;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.cli.bundle.Bundle;
import dev.duoka.cli.console.ProgressLine;
import dev.duoka.formats.json.Json;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import tools.jackson.databind.node.ObjectNode;

/** {@code duoka bundle}: writes an archive that runs on a GPU host without JDK or Maven. */
@Command(
    name = "bundle",
    description = {
      "Write a self-contained archive for GPU hosts: a Java runtime, duoka, and a launcher. It"
          + " has no LibTorch of its own and uses the PyTorch that is installed there.",
      "Example: duoka bundle --output duoka.tar.xz"
    })
final class BundleCommand implements Runnable {
  @Option(
      names = "--output",
      paramLabel = "FILE",
      description = "The archive to write. Default: duoka-<version>-linux-x86_64.tar.xz.")
  private @Nullable Path output;

  @Option(names = "--json", description = "Print one JSON object instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public void run() {
    String name = "duoka-" + Version.number() + "-linux-x86_64";
    Path archive = output == null ? Path.of(name + ".tar.xz") : output;
    try (ProgressLine _ = ProgressLine.open("packing", spec.commandLine().getErr())) {
      Bundle.ofThisProgram(name).write(archive);
      PrintWriter out = spec.commandLine().getOut();
      if (json) {
        ObjectNode written = Json.object();
        written.put("archive", archive.toString());
        written.put("bytes", Files.size(archive));
        out.println(Json.line(written));
      } else {
        out.printf(
            "Wrote %s (%s). On the GPU host: tar -xf %s && %s/duoka --version%n",
            archive, ByteSize.text(Files.size(archive)), archive.getFileName(), name);
      }
      out.flush();
    } catch (IOException e) {
      if (IoReason.isFull(e)) {
        throw new DuokaException(
            ErrorCode.NO_SPACE,
            "cannot write the bundle " + archive + ": " + IoReason.of(e),
            "Free about 300 MB there, or name another place with --output",
            e);
      }
      throw new DuokaException(
          ErrorCode.IO,
          "cannot write the bundle " + archive + ": " + IoReason.of(e),
          "Name a writable place with --output",
          e);
    }
  }
}
