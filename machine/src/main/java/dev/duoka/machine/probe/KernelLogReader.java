package dev.duoka.machine.probe;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Finds the lines of a kernel log that speak of GPUs, PCIe or the IOMMU. */
final class KernelLogReader {
  /** More events than this say nothing new. */
  private static final int MOST = 1000;

  private static final int LONGEST_LINE = 500;

  private static final Pattern XID =
      Pattern.compile("NVRM: Xid \\(?(?:PCI:)?([0-9a-fA-F:.]+)?[^)]*\\)?: (\\d{1,4})\\b.*");
  private static final Pattern SXID =
      Pattern.compile("SXid \\(?(?:PCI:)?([0-9a-fA-F:.]+)?[^)]*\\)?: (\\d{1,6})\\b.*");
  private static final Pattern AER =
      Pattern.compile(
          "(?i)([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]).*PCIe Bus Error: severity=(\\S+).*");
  private static final Pattern MISMATCH = Pattern.compile("NVRM: API mismatch.*");
  private static final Pattern LINUX_LINE =
      Pattern.compile("(<\\d+>)?\\[ *\\d+\\.\\d{3,6}\\] .*|\\[\\w{3} \\w{3} .*\\d{4}\\] .*");

  private KernelLogReader() {}

  /** Whether a line is one of those that are looked for, or bears the kernel's time stamp. */
  static boolean looksLikeKernel(String line) {
    return LINUX_LINE.matcher(line).matches()
        || line.contains("NVRM: Xid")
        || line.contains("nvidia-nvswitch");
  }

  /** The event that a line reports. */
  static Optional<KernelEvent> event(String raw) {
    String line = raw.length() > LONGEST_LINE ? raw.substring(0, LONGEST_LINE) : raw;
    if (!line.contains("NVRM") && !line.contains("SXid") && !line.contains("PCIe Bus Error")) {
      return Optional.empty();
    }
    Matcher xid = XID.matcher(line);
    if (xid.find()) {
      return Optional.of(numbered(KernelEvent.Kind.XID, xid, line));
    }
    Matcher sxid = SXID.matcher(line);
    if (sxid.find()) {
      return Optional.of(numbered(KernelEvent.Kind.SXID, sxid, line));
    }
    Matcher aer = AER.matcher(line);
    if (aer.find()) {
      boolean corrected = aer.group(2).toLowerCase(java.util.Locale.ROOT).startsWith("correct");
      return Optional.of(
          new KernelEvent(
              corrected ? KernelEvent.Kind.PCIE_CORRECTED : KernelEvent.Kind.PCIE_UNCORRECTED,
              0,
              PciDevice.normalise(aer.group(1)),
              line.strip()));
    }
    return MISMATCH.matcher(line).find()
        ? Optional.of(new KernelEvent(KernelEvent.Kind.VERSION_MISMATCH, 0, "", line.strip()))
        : Optional.empty();
  }

  private static KernelEvent numbered(KernelEvent.Kind kind, Matcher matcher, String line) {
    String address = Optional.ofNullable(matcher.group(1)).orElse("");
    return new KernelEvent(
        kind,
        Integer.parseInt(matcher.group(2)),
        address.isEmpty() ? "" : PciDevice.normalise(address),
        line.strip());
  }

  static void read(String text, SnapshotDraft facts) {
    facts.kernelLogRead = true;
    text.lines()
        .forEach(
            line -> {
              if (facts.kernelEvents.size() < MOST) {
                event(line).ifPresent(facts.kernelEvents::add);
              }
              iommu(line).ifPresent(state -> facts.host(HostField.IOMMU, state));
            });
  }

  private static Optional<String> iommu(String line) {
    if (line.contains("iommu: Default domain type: Passthrough")) {
      return Optional.of("passthrough");
    }
    return line.contains("iommu: Default domain type: Translated")
        ? Optional.of("translating")
        : Optional.empty();
  }
}
