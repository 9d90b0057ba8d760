package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Software;
import java.util.Optional;
import java.util.function.Function;

/** A library that is found first against the one that PyTorch was built and tested with. */
final class BuiltWithCheck {
  private final String name;
  private final String library;
  private final String wheel;
  private final Function<Compatibility.Build, Optional<String>> version;
  private final String consequence;

  /**
   * A check of one library.
   *
   * @param name for people, for example {@code cuDNN}
   * @param library the file's name without its ending
   * @param wheel the package of pip, without CUDA's major version
   * @param version of a build of PyTorch
   * @param consequence of another version
   */
  BuiltWithCheck(
      String name,
      String library,
      String wheel,
      Function<Compatibility.Build, Optional<String>> version,
      String consequence) {
    this.name = name;
    this.library = library;
    this.wheel = wheel;
    this.version = version;
    this.consequence = consequence;
  }

  /** An error where the major version differs, a warning where it is older. */
  void examine(Examination machine, Findings out) {
    Optional<Software.Torch> torch = out.known("PyTorch", machine.machine().software().torch());
    Optional<Software.Library> copy =
        machine.machine().software().copies(library).stream().findFirst();
    if (torch.isEmpty() || copy.isEmpty()) {
      if (copy.isEmpty()) {
        out.unseen("no " + library + " was found");
      }
      return;
    }
    Optional<String> found = out.known(name, copy.get().version());
    Optional<String> cuda = out.known("PyTorch's CUDA", torch.get().cuda());
    Optional<String> built =
        cuda.flatMap(c -> machine.compatibility().build(torch.get().version(), c)).flatMap(version);
    if (found.isEmpty() || built.isEmpty()) {
      if (cuda.isPresent() && built.isEmpty()) {
        out.unseen("PyTorch " + torch.get().version() + " is not in the table");
      }
      return;
    }
    Version seen = Version.of(found.get());
    String evidence =
        name
            + " "
            + found.get()
            + " at "
            + copy.get().path()
            + "; PyTorch "
            + torch.get().version()
            + " is built with "
            + built.get();
    String fix =
        "pip install --force-reinstall "
            + wheel
            + Version.of(cuda.get()).major()
            + "=="
            + built.get();
    if (seen.major() != Version.of(built.get()).major()) {
      out.error(evidence, consequence, fix);
    } else if (seen.isBefore(built.get())) {
      out.warning(evidence, consequence, fix);
    }
  }
}
