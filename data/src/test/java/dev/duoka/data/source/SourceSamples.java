package dev.duoka.data.source;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Writes small sources and reads them back. */
final class SourceSamples {
  private SourceSamples() {}

  static Path write(Path file, String text) throws IOException {
    Files.createDirectories(file.toAbsolutePath().getParent());
    return Files.writeString(file, text);
  }

  static Path zip(Path file, Map<String, String> entries) throws IOException {
    try (ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(file))) {
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        out.putNextEntry(new ZipEntry(entry.getKey()));
        out.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
        out.closeEntry();
      }
    }
    return file;
  }

  static Path gzip(Path file, String text) throws IOException {
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(text.getBytes(StandardCharsets.UTF_8));
    }
    return file;
  }

  static List<Document> read(SourceSpec spec) {
    try (DataSource source = DataSource.open(spec)) {
      return read(source);
    }
  }

  static List<Document> read(String location) {
    return read(SourceSpec.of(location));
  }

  static List<Document> read(DataSource source) {
    List<Document> documents = new ArrayList<>();
    try (DocumentReader reader = source.reader()) {
      for (PendingDocument next = reader.next(); next != null; next = reader.next()) {
        Document document = next.load();
        if (document != null) {
          documents.add(document);
        }
      }
    }
    return documents;
  }
}
