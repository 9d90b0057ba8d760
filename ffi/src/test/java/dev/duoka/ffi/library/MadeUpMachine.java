package dev.duoka.ffi.library;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** A file system in a temporary folder, with Python environments that hold a pretended PyTorch. */
final class MadeUpMachine {
  final Path root;
  final Map<String, String> environment = new HashMap<>();

  MadeUpMachine(Path root) {
    this.root = root;
    environment.put("HOME", folder("home/user").toString());
    environment.put("PATH", folder("usr/bin").toString());
  }

  /** Installs PyTorch below a folder such as {@code usr/lib/python3/dist-packages}. */
  Path torch(String packages, String version, String cuda) {
    Path torch = folder(packages + "/torch");
    Path libraries = folder(packages + "/torch/lib");
    write(
        torch.resolve("version.py"),
        "__version__ = '"
            + version
            + "'\ndebug = False\ncuda: Optional[str] = "
            + (cuda.isEmpty() ? "None" : "'" + cuda + "'")
            + "\nhip: Optional[str] = None\n");
    write(libraries.resolve("libtorch_cpu.so"), "");
    if (!cuda.isEmpty()) {
      write(libraries.resolve("libtorch_cuda.so"), "");
    }
    return real(libraries);
  }

  /** Puts a python3 into a folder and that folder in front of PATH. */
  void pathEntry(String bin) {
    write(folder(bin).resolve("python3"), "");
    environment.merge("PATH", root.resolve(bin).toString(), (old, added) -> added + ":" + old);
  }

  Path folder(String name) {
    try {
      return Files.createDirectories(root.resolve(name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void write(Path file, String text) {
    try {
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  LibrarySearch search() {
    return new LibrarySearch(environment, root);
  }

  private static Path real(Path path) {
    try {
      return path.toRealPath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
