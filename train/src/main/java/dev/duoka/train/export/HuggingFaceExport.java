package dev.duoka.train.export;

import dev.duoka.base.CrashSafeFiles;
import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.IoReason;
import dev.duoka.base.Progress;
import dev.duoka.data.tokenizer.ByteTokenizerFiles;
import dev.duoka.data.tokenizer.Tokenizer;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.adapter.BaseForm;
import dev.duoka.formats.json.Json;
import dev.duoka.formats.modelconfig.Architecture;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.modelconfig.ModelConfigReader;
import dev.duoka.formats.modelconfig.ModelConfigWriter;
import dev.duoka.formats.safetensors.WrittenFile;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.tensor.Dtype;
import dev.duoka.train.checkpoint.CheckpointEvent;
import dev.duoka.train.checkpoint.StoredModel;
import dev.duoka.train.checkpoint.TokenizerFiles;
import dev.duoka.train.generate.EndTokens;
import dev.duoka.train.generate.GenerationConfig;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/**
 * Writes a checkpoint as a folder in Hugging Face's form: weights in the wanted dtype, config,
 * tokenizer and generation config. The folder appears when all of it is written and verified.
 */
public final class HuggingFaceExport {
  private HuggingFaceExport() {}

  /**
   * Exports a model.
   *
   * @param path a run's folder, of which the newest valid checkpoint is taken, or a checkpoint
   * @param target the new folder; may exist only if it is empty
   * @param format of the weights
   * @param listener hears of damaged checkpoints that were passed over
   * @throws DuokaException when the target holds something, cannot be written, or does not read
   *     back as it was written
   */
  public static ExportReport export(
      Path path, Path target, WeightFormat format, Consumer<CheckpointEvent> listener) {
    return export(
        new ExportSource(path, Optional.empty()), target, format, listener, Progress.NONE);
  }

  /**
   * As the other method; an adapter is merged into its base.
   *
   * @param progress hears how many tensors were written, and read back
   */
  public static ExportReport export(
      ExportSource source,
      Path target,
      WeightFormat format,
      Consumer<CheckpointEvent> listener,
      Progress progress) {
    return export(source, target, format, false, listener, progress);
  }

  /**
   * Exports the adapter of a checkpoint alone, in PEFT's form.
   *
   * @param path as in the other methods
   */
  public static ExportReport exportAdapter(
      Path path, Path target, WeightFormat format, Consumer<CheckpointEvent> listener) {
    return exportAdapter(new ExportSource(path, Optional.empty()), target, format, listener);
  }

  /** As the other method. */
  public static ExportReport exportAdapter(
      ExportSource source, Path target, WeightFormat format, Consumer<CheckpointEvent> listener) {
    return export(source, target, format, true, listener, Progress.NONE);
  }

  private static ExportReport export(
      ExportSource wanted,
      Path target,
      WeightFormat format,
      boolean adapterAlone,
      Consumer<CheckpointEvent> listener,
      Progress progress) {
    requireEmpty(target);
    ExportSource source = wanted.resolved(listener);
    source.requireBase();
    Path absolute = target.toAbsolutePath().normalize();
    Path temporary = absolute.resolveSibling(".exporting-" + absolute.getFileName());
    boolean complete = false;
    try {
      CrashSafeFiles.deleteTree(temporary);
      Files.createDirectories(temporary);
      ExportReport report =
          adapterAlone
              ? adapter(source, temporary, target, format.dtype())
              : write(source, temporary, target, format.dtype(), progress);
      Files.deleteIfExists(target);
      CrashSafeFiles.moveIntoPlace(temporary, absolute);
      complete = true;
      return report;
    } catch (IOException e) {
      throw failure(target, e);
    } finally {
      if (!complete) {
        discard(temporary);
      }
    }
  }

  private static ExportReport adapter(ExportSource source, Path folder, Path target, Dtype dtype) {
    try (StoredModel stored = source.open()) {
      List<WrittenFile> written = new AdapterExport(stored, dtype).write(folder);
      List<String> names = new ArrayList<>(List.of(AdapterConfigFile.FILE_NAME));
      written.forEach(file -> names.add(String.valueOf(file.path().getFileName())));
      return new ExportReport(
          target,
          source.folder(),
          dtype.toString(),
          AdapterFile.tensors(ModelFactory.declared(stored.config(), 0).weights()).size(),
          names,
          written.stream().mapToLong(WrittenFile::byteLength).sum(),
          Optional.empty(),
          baseOf(stored).map(HuggingFaceExport::besideBase));
    }
  }

  private static ExportReport write(
      ExportSource source, Path folder, Path target, Dtype dtype, Progress progress)
      throws IOException {
    Path tokenizerFolder = source.tokenizerFolder();
    Tokenizer tokenizer = Tokenizer.load(TokenizerFiles.nameIn(tokenizerFolder));
    ModelConfig config =
        source
            .config()
            .with((AdapterConfig) null)
            .withTokenIds(tokenizer.bosId(), tokenizer.eosId());
    List<String> names = new ArrayList<>();
    long bytes = 0;
    int tensors;
    Optional<String> base;
    try (StoredModel stored = source.open();
        MergedSource merged = new MergedSource(stored)) {
      ExportedWeights exported = new ExportedWeights(merged, config, dtype);
      exported.requireMemory();
      for (WrittenFile file : exported.write(folder, progress)) {
        names.add(String.valueOf(file.path().getFileName()));
        bytes += file.byteLength();
      }
      exported.verify(folder, progress);
      tensors = exported.count();
      base = baseOf(stored).map(form -> mergedInto(form, dtype));
    }
    EndTokens ends = EndTokens.of(tokenizerFolder, tokenizer, config);
    for (Map.Entry<String, byte[]> file : texts(tokenizerFolder, config, ends, dtype).entrySet()) {
      CrashSafeFiles.write(folder.resolve(file.getKey()), file.getValue());
      names.add(file.getKey());
      bytes += file.getValue().length;
    }
    if (!ModelConfigReader.read(folder).equals(config)) {
      throw new DuokaException(
          ErrorCode.FORMAT,
          "the exported config.json does not read back as the one of " + source.folder(),
          "This is an error of the program; please report it");
    }
    return new ExportReport(
        target,
        source.folder(),
        dtype.toString(),
        tensors,
        List.copyOf(names),
        bytes,
        readers(config.architecture()),
        base);
  }

  /** The form of 4 bits that an adapter's base was kept in; empty where there is none. */
  private static Optional<BaseForm> baseOf(StoredModel stored) {
    return Optional.ofNullable(stored.config().adapter())
        .map(AdapterConfig::baseForm)
        .filter(BaseForm::isInFourBits);
  }

  private static String mergedInto(BaseForm form, Dtype dtype) {
    return "the adapter was trained beside a base in "
        + form
        + ": what is written are the numbers that this stands for, with the adapter added, rounded"
        + " once to "
        + dtype;
  }

  private static String besideBase(BaseForm form) {
    return "the adapter was trained beside a base in "
        + form
        + ", which its files tell duoka alone: beside the base in 16 bits it answers a little"
        + " differently (elsewhere: load_in_4bit, bnb_4bit_quant_type nf4,"
        + " bnb_4bit_use_double_quant "
        + (form == BaseForm.NF4)
        + ")";
  }

  /**
   * transformers has no class of its own for the first MoE; its code is in DeepSeek's repository.
   */
  private static Optional<String> readers(Architecture architecture) {
    return architecture == Architecture.DEEPSEEK_MOE
        ? Optional.of(
            "model_type deepseek is read by vLLM and by duoka; transformers reads it only with the"
                + " code of deepseek-ai/deepseek-moe-16b-base beside the weights"
                + " (modeling_deepseek.py, configuration_deepseek.py, auto_map in config.json) and"
                + " trust_remote_code=True")
        : Optional.empty();
  }

  private static Map<String, byte[]> texts(
      Path source, ModelConfig config, EndTokens ends, Dtype dtype) {
    Map<String, byte[]> texts = new LinkedHashMap<>();
    ObjectNode json = ModelConfigWriter.json(config);
    json.put("torch_dtype", dtype.toString());
    texts.put(ModelConfigReader.FILE_NAME, bytes(json));
    texts.put(GenerationConfig.FILE_NAME, generationConfig(source, config, ends).encode());
    TokenizerFiles tokenizer = TokenizerFiles.in(source);
    if (tokenizer.isBytes()) {
      texts.putAll(ByteTokenizerFiles.files());
    }
    tokenizer.files().forEach(texts::putIfAbsent);
    return texts;
  }

  /** The file of the source where it has one: what it says of sampling stays. */
  private static GenerationConfig generationConfig(
      Path source, ModelConfig config, EndTokens ends) {
    return GenerationConfig.in(source)
        .orElseGet(GenerationConfig::ofModelConfig)
        .withBos(config.bosTokenId())
        .withEnds(ends.ids());
  }

  private static byte[] bytes(ObjectNode json) {
    return Json.pretty(json).getBytes(StandardCharsets.UTF_8);
  }

  private static void requireEmpty(Path target) {
    boolean taken;
    try {
      taken = Files.exists(target) && !(Files.isDirectory(target) && isEmpty(target));
    } catch (IOException e) {
      throw failure(target, e);
    }
    if (taken) {
      throw new DuokaException(
          ErrorCode.USAGE,
          "cannot export to " + target + ": it exists and is not an empty folder",
          "Choose another folder, or delete that one first");
    }
  }

  private static boolean isEmpty(Path folder) throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(folder)) {
      return !entries.iterator().hasNext();
    }
  }

  private static DuokaException failure(Path target, IOException cause) {
    boolean full = IoReason.isFull(cause);
    return new DuokaException(
        full ? ErrorCode.NO_SPACE : ErrorCode.IO,
        "cannot export to " + target + ": " + IoReason.of(cause),
        full ? "Free some space or choose another folder" : "Check that the folder is writable",
        cause);
  }

  private static void discard(Path temporary) {
    try {
      CrashSafeFiles.deleteTree(temporary);
    } catch (IOException e) {
      // The error that led here is the one to report.
    }
  }
}
