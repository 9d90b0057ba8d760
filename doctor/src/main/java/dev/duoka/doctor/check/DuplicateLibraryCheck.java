package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Reading;
import dev.duoka.machine.probe.Software;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Several copies of a CUDA library, and which of them wins. */
final class DuplicateLibraryCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "duplicate-libraries",
          "One copy of libcudart, libcudnn and libnccl",
          "PyTorch, packages, conda, LD_LIBRARY_PATH, toolkit, system",
          "warning when LD_LIBRARY_PATH or conda bring another version than PyTorch's; a note for"
              + " copies of the toolkit or system");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    if (machine.machine().software().libraries()
        instanceof Reading.Unknown<List<Software.Library>>(String why)) {
      out.unseen("libraries: " + why);
      return;
    }
    for (String name : List.of("libcudart", "libcudnn", "libnccl")) {
      List<Software.Library> copies = machine.machine().software().copies(name);
      if (copies.size() < 2) {
        continue;
      }
      Software.Library winner = copies.getFirst();
      List<Software.Library> others =
          copies.stream().filter(copy -> !sameVersion(winner, copy)).toList();
      List<Software.Library> intruders =
          others.stream()
              .filter(
                  copy ->
                      copy.owner().equals("LD_LIBRARY_PATH") || copy.owner().startsWith("conda"))
              .toList();
      String listed =
          name
              + ": "
              + shown(winner)
              + " wins over "
              + others.stream().map(DuplicateLibraryCheck::shown).collect(Collectors.joining(", "));
      if (!intruders.isEmpty()) {
        boolean path = intruders.stream().anyMatch(copy -> copy.owner().equals("LD_LIBRARY_PATH"));
        out.warning(
            listed,
            path
                ? "the loader looks in LD_LIBRARY_PATH before the folders that libraries name"
                    + " themselves, so parts of two versions end up in one process"
                : "a library of conda's and one of pip's may be loaded into one process",
            path
                ? "unset LD_LIBRARY_PATH"
                : "conda remove --force "
                    + (name.equals("libcudart") ? "cuda-cudart" : name.substring(3)));
      } else if (!others.isEmpty()) {
        out.note(
            listed,
            "nothing, as long as programs take the copy beside PyTorch",
            "nothing to do; keep LD_LIBRARY_PATH free of the others");
      }
    }
  }

  private static boolean sameVersion(Software.Library a, Software.Library b) {
    Optional<String> first = a.version().optional();
    Optional<String> second = b.version().optional();
    return first.isEmpty()
        || second.isEmpty()
        || Version.of(first.get()).compareTo(Version.of(second.get())) == 0;
  }

  private static String shown(Software.Library copy) {
    return copy.version().optional().orElse("of unknown version")
        + " at "
        + copy.path()
        + " ("
        + copy.owner()
        + ")";
  }
}
