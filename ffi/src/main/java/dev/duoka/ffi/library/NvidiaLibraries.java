package dev.duoka.ffi.library;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Finds NVIDIA's libraries: first beside the chosen LibTorch, so that they are those it was built
 * and tested with, then in the CUDA toolkit, then wherever the system's loader looks.
 */
public final class NvidiaLibraries {
  private final List<Path> folders;

  /** The places of this machine, beginning with those beside {@code torch}. */
  public NvidiaLibraries(LibraryChoice torch) {
    this(torch.folder(), Path.of("/"));
  }

  /** The places of a made-up machine, for tests. */
  NvidiaLibraries(Path torchFolder, Path fileSystemRoot) {
    Set<Path> found = new LinkedHashSet<>();
    found.add(torchFolder);
    Path packages = torchFolder.resolve("../..").normalize();
    found.addAll(children(packages.resolve("nvidia"), "cu[0-9]*", "lib"));
    found.addAll(children(packages.resolve("nvidia"), "*", "lib"));
    found.add(fileSystemRoot.resolve("usr/local/cuda/lib64"));
    found.addAll(children(fileSystemRoot.resolve("usr/local"), "cuda-*", "lib64"));
    found.add(fileSystemRoot.resolve("usr/lib/x86_64-linux-gnu"));
    folders = found.stream().filter(Files::isDirectory).toList();
  }

  /**
   * What to try in order to open a library: the paths of files that exist, then the bare names.
   *
   * @param names file names of the versions that would do, best first
   */
  public List<String> candidates(List<String> names) {
    List<String> candidates = new ArrayList<>();
    for (Path folder : folders) {
      for (String name : names) {
        Path file = folder.resolve(name);
        if (Files.exists(file)) {
          candidates.add(file.toString());
        }
      }
    }
    candidates.addAll(names);
    return candidates;
  }

  /** The folders with CUDA's headers that lie beside the libraries, in the same order. */
  public List<Path> includeFolders() {
    return folders.stream()
        .map(folder -> folder.resolve("../include").normalize())
        .filter(folder -> Files.exists(folder.resolve("cuda_bf16.h")))
        .distinct()
        .toList();
  }

  /** The newest first, so that {@code cuda-13.0} comes before {@code cuda-12.9}. */
  private static List<Path> children(Path folder, String glob, String inside) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    List<Path> children = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder, glob)) {
      stream.forEach(child -> children.add(child.resolve(inside)));
    } catch (IOException e) {
      return List.of(); // a folder that may not be read holds nothing for this user
    }
    children.sort(Comparator.reverseOrder());
    return children;
  }
}
