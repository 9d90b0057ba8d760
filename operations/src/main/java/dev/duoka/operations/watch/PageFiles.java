package dev.duoka.operations.watch;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The files of the page itself, which hold nothing of any run. */
final class PageFiles {
  private static final String TEXT = "; charset=utf-8";
  private static final Map<String, String> TYPES =
      Map.of(
          "html", "text/html", "js", "text/javascript", "css", "text/css", "svg", "image/svg+xml");

  private final Map<String, byte[]> files = new LinkedHashMap<>();

  PageFiles() {
    for (String name :
        new String[] {
          "watch.html",
          "watch.css",
          "watch.js",
          "words.js",
          "prediction.js",
          "picture.js",
          "machine.js",
          "icon.svg",
          "uPlot.iife.min.js",
          "uPlot.min.css"
        }) {
      try (InputStream in =
          Objects.requireNonNull(PageFiles.class.getResourceAsStream(name), name)) {
        files.put(name, in.readAllBytes());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** The file of a path, the page itself for {@code /}; empty for any other. */
  Optional<byte[]> at(String path) {
    return Optional.ofNullable(files.get(name(path)));
  }

  /** Which type the file of a path is. */
  static String type(String path) {
    String name = name(path);
    return Objects.requireNonNull(TYPES.get(name.substring(name.lastIndexOf('.') + 1))) + TEXT;
  }

  private static String name(String path) {
    return path.equals("/") ? "watch.html" : path.substring(1);
  }
}
