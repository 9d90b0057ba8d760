package dev.duoka.formats.safetensors;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes safetensors files by hand, right or wrong. */
final class RawFile {
  private RawFile() {}

  static Path write(Path path, String header, int dataBytes) {
    return write(path, header.getBytes(StandardCharsets.UTF_8).length, header, dataBytes);
  }

  static Path write(Path path, long declaredLength, String header, int dataBytes) {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer file =
        ByteBuffer.allocate(8 + json.length + dataBytes).order(ByteOrder.LITTLE_ENDIAN);
    file.putLong(declaredLength).put(json);
    try {
      return Files.write(path, file.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
