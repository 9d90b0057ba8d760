package dev.duoka.formats.safetensors;

import java.nio.file.Path;

/**
 * A file that is complete and on disk.
 *
 * @param path where it is
 * @param byteLength its size
 * @param sha256 the SHA-256 of its bytes, 64 hexadecimal digits
 */
public record WrittenFile(Path path, long byteLength, String sha256) {}
