package dev.duoka.cli.command;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.doctor.check.RunDemand;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.ParameterCounts;
import dev.duoka.formats.modelconfig.Presets;
import dev.duoka.train.config.ModelSettings;
import dev.duoka.train.config.RunConfig;
import dev.duoka.train.config.RunFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** What a run needs of the host's memory: the snapshot of a checkpoint, and the program. */
final class HostMemoryPlan {
  /** fp32 weights and AdamW's two moments, as the snapshot of a checkpoint holds them. */
  private static final long BYTES_PER_PARAMETER = 12;

  /** The Java heap at most, LibTorch, CUDA's contexts and pinned buffers. */
  private static final long PROGRAM = 8L << 30;

  private HostMemoryPlan() {}

  static RunDemand of(Path runFile) {
    RunConfig run = RunFile.read(runFile, List.of());
    ModelSettings model = run.model();
    long parameters =
        ParameterCounts.of(ModelConfigReader.read(config(model), runFile.toString()))
            .totalWithMtp();
    return new RunDemand(
        parameters * BYTES_PER_PARAMETER + PROGRAM,
        String.format(
            Locale.ROOT,
            "a snapshot of %.2f billion parameters with their moments, 12 bytes each, and 8 GiB for"
                + " the program",
            parameters / 1e9),
        ContainerCommand.gpus(run));
  }

  private static JsonNode config(ModelSettings model) {
    ObjectNode config = Json.object();
    config.setAll((ObjectNode) base(model));
    for (Map.Entry<String, @Nullable Object> entry : model.overrides().entrySet()) {
      switch (entry.getValue()) {
        case Integer number -> config.put(entry.getKey(), number);
        case Long number -> config.put(entry.getKey(), number);
        case Double number -> config.put(entry.getKey(), number);
        case Boolean flag -> config.put(entry.getKey(), flag);
        case String text -> config.put(entry.getKey(), text);
        case null -> config.putNull(entry.getKey());
        default -> {} // nested values do not change the number of parameters
      }
    }
    return config;
  }

  private static JsonNode base(ModelSettings model) {
    if (model.preset().isPresent()) {
      return Presets.json(model.preset().get());
    }
    Path path =
        model
            .path()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.CONFIG, "the run file names no model", "Set model.preset"));
    return Json.parse(
        Files.isDirectory(path) ? path.resolve("config.json") : path, ErrorCode.CONFIG);
  }
}
