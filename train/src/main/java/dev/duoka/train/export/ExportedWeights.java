package dev.duoka.train.export;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.base.Progress;
import dev.duoka.formats.modelconfig.ModelConfig;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.SafetensorsFolderWriter;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.TensorEntry;
import dev.duoka.formats.safetensors.WrittenFile;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Device;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.memory.MemoryCheck;
import dev.duoka.train.memory.MemoryNeed;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The weights of a folder in another dtype. Each MTP module also gets the embedding and the output
 * head under names of its own, as in DeepSeek's published weights, which inference servers expect.
 */
final class ExportedWeights {
  private static final long SHARD_BYTES = 5_000_000_000L;
  private static final String EMBEDDING = "model.embed_tokens.weight";
  private static final String HEAD = "lm_head.weight";

  private final WeightSource source;
  private final Dtype dtype;
  private final Map<String, TensorEntry> entries = new LinkedHashMap<>();

  ExportedWeights(WeightSource source, ModelConfig config, Dtype dtype) {
    this.source = source;
    this.dtype = dtype;
    source.tensors().forEach(entry -> entries.put(entry.name(), entry));
    for (int module = 0; module < config.mtpModules(); module++) {
      String prefix = "model.layers." + (config.layers() + module) + ".";
      if (entries.containsKey(prefix + "eh_proj.weight")) {
        String head = config.tieEmbeddings() ? EMBEDDING : HEAD;
        entries.putIfAbsent(prefix + "embed_tokens.weight", entry(EMBEDDING));
        entries.putIfAbsent(prefix + "shared_head.head.weight", entry(head));
      }
    }
  }

  /** Refuses where not even the largest tensor fits, as it is and converted. */
  void requireMemory() {
    long largest = 0;
    for (TensorEntry entry : entries.values()) {
      long elements = entry.shape().stream().reduce(1L, (a, b) -> a * b);
      largest = Math.max(largest, source.bytes(entry) + elements * dtypeOf(entry.name()).bytes());
    }
    MemoryCheck.require(
        "the export of one tensor after the other",
        Device.CPU,
        new MemoryNeed(Map.of("the largest tensor, as it is and converted", largest)),
        _ -> "Free some memory, or raise the limit");
  }

  int count() {
    return entries.size();
  }

  List<WrittenFile> write(Path folder, Progress progress) {
    List<TensorDeclaration> declarations =
        entries.entrySet().stream()
            .map(
                entry ->
                    new TensorDeclaration(
                        entry.getKey(),
                        StoredTensors.stored(dtypeOf(entry.getKey())),
                        entry.getValue().shape()))
            .toList();
    try (SafetensorsFolderWriter writer =
        SafetensorsFolderWriter.create(folder, declarations, Map.of("format", "pt"), SHARD_BYTES)) {
      int done = 0;
      for (TensorEntry entry : writer.tensors()) {
        progress.reached("exporting", done++, count());
        try (Scope _ = Scope.open()) {
          HostCopy.read(converted(entry.name()), (_, chunk) -> writer.write(entry.name(), chunk));
        }
      }
      return writer.finish();
    }
  }

  /** Reads everything back and compares it, bit for bit, with the converted source. */
  void verify(Path folder, Progress progress) {
    try (SafetensorsFolder written = SafetensorsFolder.open(folder)) {
      int done = 0;
      for (String name : entries.keySet()) {
        progress.reached("reading back", done++, count());
        TensorEntry entry = written.entry(name);
        try (Scope _ = Scope.open()) {
          HostCopy.read(
              converted(name),
              (offset, chunk) -> {
                ByteBuffer bytes = ByteBuffer.allocateDirect(chunk.remaining());
                written.read(entry, offset, bytes);
                if (!bytes.flip().equals(chunk)) {
                  throw new DuokaException(
                      ErrorCode.IO,
                      "the exported tensor " + name + " does not read back as it was written",
                      "Check the disk and export again");
                }
              });
        }
      }
    }
  }

  /** The routers' selection bias stays in fp32, as published: its steps vanish in 16 bits. */
  private Dtype dtypeOf(String name) {
    return name.endsWith("e_score_correction_bias") ? Dtype.FLOAT32 : dtype;
  }

  private Tensor converted(String name) {
    return Copies.cast(source.read(entry(name)), dtypeOf(name));
  }

  private TensorEntry entry(String name) {
    TensorEntry entry = entries.get(name);
    if (entry == null) {
      throw new IllegalStateException("no tensor " + name);
    }
    return entry;
  }
}
