package dev.duoka.train.export;

import dev.duoka.base.DuokaException;
import dev.duoka.base.ErrorCode;
import dev.duoka.formats.adapter.AdapterConfig;
import dev.duoka.formats.adapter.AdapterConfigFile;
import dev.duoka.formats.safetensors.SafetensorsFolder;
import dev.duoka.formats.safetensors.SafetensorsWriter;
import dev.duoka.formats.safetensors.TensorDeclaration;
import dev.duoka.formats.safetensors.WrittenFile;
import dev.duoka.model.ModelFactory;
import dev.duoka.model.adapter.AdapterFile;
import dev.duoka.model.weight.StoredTensors;
import dev.duoka.tensor.Dtype;
import dev.duoka.tensor.Scope;
import dev.duoka.tensor.Tensor;
import dev.duoka.tensor.op.Copies;
import dev.duoka.tensor.op.HostCopy;
import dev.duoka.train.checkpoint.BaseWeights;
import dev.duoka.train.checkpoint.StoredModel;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Writes the adapter of a checkpoint in PEFT's form, without its base. */
final class AdapterExport {
  private final StoredModel stored;
  private final Dtype dtype;

  AdapterExport(StoredModel stored, Dtype dtype) {
    this.stored = stored;
    this.dtype = dtype;
  }

  /** Writes config and weights into an empty folder, and reads the weights back. */
  List<WrittenFile> write(Path folder) {
    SafetensorsFolder source =
        stored
            .adapter()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.USAGE,
                        stored.folder() + " has no adapter to export",
                        "Leave --adapter out: the whole model was trained"));
    Path base =
        stored
            .baseFolder()
            .orElseThrow(
                () ->
                    new DuokaException(
                        ErrorCode.USAGE,
                        ("cannot export the adapter of " + stored.folder() + " alone: its base was")
                            + " drawn from a seed, and is in no folder that other programs read",
                        "Leave --adapter out: base and adapter are written as one model"));
    AdapterConfig adapter = AdapterConfigFile.read(stored.folder()).adapter();
    new AdapterConfigFile(
            adapter,
            Optional.of(base.toAbsolutePath().normalize().toString()),
            stored.config().tieEmbeddings() && AdapterConfigFile.trainsEnds(adapter))
        .write(folder);
    List<AdapterFile.FileTensor> tensors =
        AdapterFile.tensors(ModelFactory.declared(stored.config(), 0).weights());
    Map<String, AdapterFile.FileTensor> byName =
        tensors.stream()
            .collect(Collectors.toMap(it -> AdapterFile.PREFIX + it.name(), Function.identity()));
    List<TensorDeclaration> declarations =
        byName.entrySet().stream()
            .map(
                it ->
                    new TensorDeclaration(
                        it.getKey(), StoredTensors.stored(dtype), it.getValue().shape()))
            .sorted((a, b) -> a.name().compareTo(b.name()))
            .toList();
    Path file = folder.resolve(AdapterFile.FILE_NAME);
    WrittenFile written;
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(file, declarations, BaseWeights.inAdapterFile(stored.folder()))) {
      for (TensorDeclaration declaration : declarations) {
        AdapterFile.FileTensor tensor = byName.get(declaration.name());
        try (Scope _ = Scope.open()) {
          HostCopy.read(
              converted(source, Objects.requireNonNull(tensor)),
              (_, chunk) -> writer.write(declaration.name(), chunk));
        }
      }
      written = writer.finish();
    }
    return List.of(written);
  }

  private Tensor converted(SafetensorsFolder source, AdapterFile.FileTensor tensor) {
    String name = stored.isPeft() ? AdapterFile.PREFIX + tensor.name() : tensor.part().name();
    Tensor read = StoredTensors.read(source, source.entry(name));
    return Copies.cast(stored.isPeft() ? read : tensor.toFile(read), dtype);
  }
}
