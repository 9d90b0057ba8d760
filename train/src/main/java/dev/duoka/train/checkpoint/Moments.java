package dev.duoka.train.checkpoint;

import dev.duoka.base.Resources;
import dev.duoka.formats.safetensors.SafetensorsFile;
import dev.duoka.formats.safetensors.TensorEntry;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The optimizer's moments in a checkpoint, in one file or in one for each process that wrote. */
final class Moments implements AutoCloseable {
  private final List<SafetensorsFile> files;
  private final Resources owned;

  private Moments(List<SafetensorsFile> files, Resources owned) {
    this.files = files;
    this.owned = owned;
  }

  static Moments open(Path checkpoint) {
    try (Resources opened = new Resources()) {
      List<SafetensorsFile> files = new ArrayList<>();
      for (Path path : CheckpointFiles.optimizers(checkpoint)) {
        files.add(opened.own(SafetensorsFile.open(path)));
      }
      return new Moments(files, opened.release());
    }
  }

  private SafetensorsFile fileOf(String name) {
    return files.stream().filter(file -> file.contains(name)).findFirst().orElse(files.getFirst());
  }

  /** Whether there is a tensor of this name. */
  boolean contains(String name) {
    return files.stream().anyMatch(file -> file.contains(name));
  }

  /** A stored tensor. */
  TensorEntry entry(String name) {
    return fileOf(name).entry(name);
  }

  /** Reads bytes of a stored tensor from an offset on. */
  void read(TensorEntry entry, long byteOffset, ByteBuffer into) {
    fileOf(entry.name()).read(entry, byteOffset, into);
  }

  @Override
  public void close() {
    owned.close();
  }
}
