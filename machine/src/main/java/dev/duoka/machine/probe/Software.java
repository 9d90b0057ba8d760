package dev.duoka.machine.probe;

import java.util.List;

/**
 * PyTorch and NVIDIA's libraries as they lie on disk.
 *
 * @param torches installations of PyTorch, the one first that is found first
 * @param libraries copies of CUDA's runtime, cuDNN and NCCL, the one first that is found first
 * @param packages Python packages named torch, triton or nvidia-*, from every environment
 * @param toolkit version of the CUDA toolkit that {@code nvcc} belongs to
 */
public record Software(
    Reading<List<Torch>> torches,
    Reading<List<Library>> libraries,
    Reading<List<PythonPackage>> packages,
    Reading<String> toolkit) {

  /**
   * An installation of PyTorch.
   *
   * @param place its folder, or what the capture says of it
   * @param installer {@code pip}, {@code conda}, {@code system} or {@code unknown}
   * @param version for example {@code 2.11.0+cu130}
   * @param cuda the CUDA version that it was built with; unknown for a build for the CPU
   * @param architectures what its CUDA library has code for, for example {@code sm_80 sm_90}
   */
  public record Torch(
      String place,
      String installer,
      String version,
      Reading<String> cuda,
      Reading<String> architectures) {}

  /**
   * A copy of a library.
   *
   * @param name {@code libcudart}, {@code libcudnn} or {@code libnccl}
   * @param path the file
   * @param owner who brought it: a package, the toolkit, conda, the system, LD_LIBRARY_PATH
   * @param version its version
   */
  public record Library(String name, String path, String owner, Reading<String> version) {}

  /**
   * An installed package.
   *
   * @param name its name, lower case with dashes
   * @param version its version
   * @param installer {@code pip} or {@code conda}
   * @param place the environment that it is in
   */
  public record PythonPackage(String name, String version, String installer, String place) {}

  /** Keeps copies of the lists. */
  public Software {
    torches = torches.map(List::copyOf);
    libraries = libraries.map(List::copyOf);
    packages = packages.map(List::copyOf);
  }

  /** Nothing is known, for one reason. */
  public static Software unknown(String why) {
    return new Software(
        Reading.unknown(why), Reading.unknown(why), Reading.unknown(why), Reading.unknown(why));
  }

  /** The PyTorch that is used unless another is asked for. */
  public Reading<Torch> torch() {
    return switch (torches) {
      case Reading.Known<List<Torch>>(List<Torch> list) ->
          list.isEmpty() ? Reading.unknown("no PyTorch was found") : Reading.of(list.getFirst());
      case Reading.Unknown<List<Torch>>(String why) -> Reading.unknown(why);
    };
  }

  /** The copies of one library, the one first that wins. */
  public List<Library> copies(String name) {
    return libraries.optional().orElse(List.of()).stream()
        .filter(copy -> copy.name().equals(name))
        .toList();
  }
}
