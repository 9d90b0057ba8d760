package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Gpu;
import dev.duoka.machine.probe.Software;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A build without code for a card fails with 'no kernel image is available'. */
final class ArchitectureCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "architectures",
          "PyTorch has code for the cards",
          "PyTorch's CUDA library, compute capability",
          "error when a card has no code");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    Optional<Software.Torch> torch = out.known("PyTorch", machine.machine().software().torch());
    if (torch.isEmpty()) {
      return;
    }
    Optional<String> code = torch.get().architectures().optional();
    Optional<String> cuda = torch.get().cuda().optional();
    if (code.isEmpty() && cuda.isEmpty()) {
      out.unseen("architectures: " + torch.get().architectures().why());
      return;
    }
    out.each(
        machine.gpus(),
        "compute capability",
        Gpu::capability,
        value -> {
          boolean runs =
              code.isPresent()
                  ? runsOn(code.get(), Version.of(value.value()))
                  : machine
                      .compatibility()
                      .firstToolkit(value.value())
                      .map(first -> !Version.of(cuda.orElseThrow()).isBefore(first.cuda()))
                      .orElse(true);
          return runs
              ? Optional.empty()
              : Optional.of(
                  new Findings.Fault(
                      Severity.ERROR,
                      "compute capability "
                          + value.value()
                          + ", but PyTorch "
                          + torch.get().version()
                          + code.map(text -> " has code for " + text)
                              .orElseGet(() -> " is built with CUDA " + cuda.orElse("?")),
                      "every kernel fails with 'no kernel image is available for execution'",
                      machine
                          .compatibility()
                          .newestFor(machine.machine().driver().version().optional().orElse("999"))
                          .map(b -> Compatibility.install(b.version(), b.cuda()))
                          .orElse("install a PyTorch with code for this card")));
        });
  }

  /** Machine code runs on the same major and the same or a later minor, PTX on every later card. */
  static boolean runsOn(String architectures, Version card) {
    Matcher matcher = ARCHITECTURE.matcher(architectures);
    int wanted = 10 * card.major() + card.number(1);
    while (matcher.find()) {
      int number = Integer.parseInt(matcher.group(2));
      boolean runs =
          matcher.group(1).equals("sm")
              ? number / 10 == card.major() && number <= wanted
              : number <= wanted;
      if (runs) {
        return true;
      }
    }
    return false;
  }

  private static final Pattern ARCHITECTURE = Pattern.compile("(sm|compute)_(\\d{2,3})");
}
