package dev.duoka.doctor.check;

import dev.duoka.machine.probe.Reading;
import java.util.ArrayList;
import java.util.List;

/** Data that was copied between GPUs and through the host, compared byte by byte. */
final class CopyCheck implements Check {
  private static final CheckInfo INFO =
      new CheckInfo(
          "copy",
          "Copied bytes arrive",
          "a pattern copied and compared (live only)",
          "error when a byte differs or a copy fails; a note when GPUs cannot reach each other"
              + " directly");

  @Override
  public CheckInfo info() {
    return INFO;
  }

  @Override
  public void examine(Examination machine, Findings out) {
    if (machine.copies() instanceof Reading.Unknown<List<CopyResult>>(String why)) {
      out.unseen("copies: " + why);
      return;
    }
    List<CopyResult> copies = machine.copies().optional().orElse(List.of());
    List<String> indirect = new ArrayList<>();
    for (CopyResult copy : copies) {
      boolean peer = copy.kind() == CopyResult.Kind.PEER;
      if (copy.problem().isPresent()) {
        out.error(
            copy.way() + ": " + copy.problem().get(),
            "training will fail the same way",
            "sudo dmesg | grep -i -E 'xid|iommu|dmar'   # then nvidia-smi --gpu-reset");
      } else if (copy.firstWrong() >= 0) {
        out.error(
            copy.way() + ": byte " + copy.firstWrong() + " of " + copy.bytes() + " arrived wrong",
            peer && copy.direct()
                ? "peer-to-peer access is broken here: gradients would be damaged without any error"
                : "memory or its link is broken: results would be wrong without any error",
            peer && copy.direct()
                ? "export NCCL_P2P_DISABLE=1   # until ACS and IOMMU are off and this check passes"
                : "take the GPU out of use and run: dcgmi diag -r 3");
      } else if (peer && !copy.direct()) {
        indirect.add(copy.way());
      }
    }
    if (!indirect.isEmpty()) {
      out.note(
          indirect.size()
              + " pairs copy by way of the host: "
              + String.join(", ", indirect.subList(0, Math.min(4, indirect.size())))
              + (indirect.size() > 4 ? " …" : ""),
          "collectives run at the speed of host memory, about 10 GB/s; the bytes are right",
          "nothing to do for GeForce cards, whose driver does not offer it; else check ACS and"
              + " IOMMU");
    }
  }
}
