package dev.duoka.doctor.nccl;

import dev.duoka.doctor.nccl.NcclVerdict.Kind;
import dev.duoka.machine.topology.Link;
import dev.duoka.machine.topology.Topology;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** Verdicts that depend on the value and the machine, not on the variable alone. */
final class NcclRules {
  private static final Pattern ALGORITHMS =
      words("ring|tree|collnet|collnetchain|collnetdirect|nvls|nvlstree|pat");
  private static final Pattern PROTOCOLS = words("ll|ll128|simple");

  private NcclRules() {}

  /** {@code ring,tree}, {@code ^tree}, and from 2.24 {@code ring;allreduce:tree,nvls}. */
  private static Pattern words(String words) {
    String list = "\\^?(?:" + words + ")(?:,(?:" + words + "))*";
    return Pattern.compile(
        "(?:[a-z]+:)?" + list + "(?:;[a-z]+:" + list + ")*", Pattern.CASE_INSENSITIVE);
  }

  private static NcclVerdict wrongWord(NcclVariable variable, String value, String words) {
    return NcclExplainer.verdict(
        variable,
        value,
        Kind.WRONG_VALUE,
        "'" + value + "' is no list of " + words + ", with ^ before it to exclude them.",
        "Correct or remove it.");
  }

  static Optional<NcclVerdict> special(
      NcclVariable variable, String value, Optional<Topology> topology, int leastForNvls) {
    boolean on = value.strip().equals("1");
    boolean nvlink =
        topology.isPresent() && topology.get().links().values().stream().anyMatch(Link::isNvlink);
    return switch (variable.name()) {
      case "NCCL_P2P_DISABLE" ->
          on ? Optional.of(noP2p(variable, value, nvlink)) : Optional.empty();
      case "NCCL_P2P_LEVEL" -> level(variable, value, nvlink);
      case "NCCL_SHM_DISABLE" ->
          on
              ? Optional.of(
                  harmful(
                      variable,
                      value,
                      "GPUs that cannot copy directly to each other then exchange data over the"
                          + " network stack, many times slower.",
                      "Remove it; if /dev/shm is too small, enlarge it."))
              : Optional.empty();
      case "NCCL_NVLS_ENABLE" -> nvls(variable, value, topology, leastForNvls);
      case "NCCL_IB_DISABLE" ->
          on
              ? Optional.of(
                  NcclExplainer.verdict(
                      variable,
                      value,
                      Kind.HARMLESS,
                      "Inside one machine InfiniBand is not used anyway. Between machines it would"
                          + " put everything on TCP.",
                      ""))
              : Optional.empty();
      case "NCCL_DEBUG" -> debug(variable, value);
      case "NCCL_PROTO" ->
          !PROTOCOLS.matcher(value.strip()).matches()
              ? Optional.of(wrongWord(variable, value, "LL, LL128, Simple"))
              : value.toUpperCase(Locale.ROOT).contains("LL128") && !value.contains("^")
                  ? Optional.of(
                      harmful(
                          variable,
                          value,
                          "NCCL uses LL128 by itself where it is safe; forced where the platform"
                              + " does not support it, it corrupts data.",
                          "Remove it."))
                  : Optional.empty();
      case "NCCL_ALGO" ->
          !ALGORITHMS.matcher(value.strip()).matches()
              ? Optional.of(
                  wrongWord(
                      variable,
                      value,
                      "Ring, Tree, CollnetChain, CollnetDirect, NVLS, NVLSTree, PAT"))
              : value.contains("^")
                  ? Optional.empty()
                  : Optional.of(
                      harmful(
                          variable,
                          value,
                          "It forbids all other algorithms, NVLink SHARP included, and from 2.24 a"
                              + " collective without an allowed one fails. NCCL's author names it a"
                              + " means to measure or exclude (nccl issue 790).",
                          "Remove it after measuring."));
      case "NCCL_CUMEM_ENABLE" ->
          value.strip().equals("0")
              ? Optional.of(
                  harmful(
                      variable,
                      value,
                      "It also turns NVLink SHARP and buffer registration off.",
                      "Remove it unless the start fails without it."))
              : Optional.empty();
      case "NCCL_NVB_DISABLE", "NCCL_IGNORE_DISABLED_P2P", "NCCL_LEGACY_CUDA_REGISTER" ->
          on
              ? Optional.of(
                  harmful(
                      variable,
                      value,
                      "It sets " + variable.summary() + ": " + variable.pitfall().orElse("") + ".",
                      "Remove it."))
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static NcclVerdict noP2p(NcclVariable variable, String value, boolean nvlink) {
    return harmful(
        variable,
        value,
        nvlink
            ? "It turns NVLink off as well: all traffic goes through host memory, on this machine"
                + " tens of times slower."
            : "All traffic between GPUs goes through host memory. It helps to find out whether"
                + " direct copies hang.",
        "Remove it; if runs hang without it, look at IOMMU and ACS with 'duoka doctor'.");
  }

  private static Optional<NcclVerdict> level(NcclVariable variable, String value, boolean nvlink) {
    String level = value.strip().toUpperCase(Locale.ROOT);
    if (level.equals("LOC") || level.equals("0")) {
      return Optional.of(noP2p(variable, value, nvlink));
    }
    if (level.matches("[0-9]+")) {
      return Optional.of(
          harmful(
              variable,
              value,
              "Numbers change their meaning between versions.",
              "Write the word: NVL, PIX, PXB, PHB or SYS."));
    }
    return Optional.empty();
  }

  private static Optional<NcclVerdict> nvls(
      NcclVariable variable, String value, Optional<Topology> topology, int leastForNvls) {
    if (topology.isEmpty()) {
      return Optional.empty();
    }
    int largest =
        topology.get().nvlinkDomains().stream().mapToInt(domain -> domain.size()).max().orElse(0);
    boolean switched =
        largest > 1
            && topology.get().links().values().stream()
                .anyMatch(link -> link.isNvlink() && link.nvlinks() > 12);
    if (!switched) {
      return Optional.of(
          NcclExplainer.verdict(
              variable,
              value,
              Kind.USELESS_HERE,
              "NVLink SHARP needs NVSwitch and Hopper or newer GPUs, which this machine does not"
                  + " show.",
              "Remove it."));
    }
    if (value.strip().equals("0") && largest < leastForNvls) {
      // 18 links between two GPUs exist through an NVSwitch alone.
      return Optional.of(
          NcclExplainer.verdict(
              variable,
              value,
              Kind.HARMLESS,
              "It turns NVLink SHARP off, a known way round where it fails at the start or in a"
                  + " container; it costs some of the speed of all-reduces.",
              "Remove it once NVLink SHARP works."));
    }
    return value.strip().equals("0")
        ? Optional.of(
            harmful(
                variable,
                value,
                "All-reduces of this machine's "
                    + largest
                    + " GPUs lose about a quarter of their speed (8 H200: 482 GB/s with, 368"
                    + " without).",
                "Remove it unless the start fails without it."))
        : Optional.empty();
  }

  private static Optional<NcclVerdict> debug(NcclVariable variable, String value) {
    String level = value.strip().toUpperCase(Locale.ROOT);
    return level.equals("INFO") || level.equals("TRACE")
        ? Optional.of(
            NcclExplainer.verdict(
                variable,
                value,
                level.equals("INFO") ? Kind.USEFUL : Kind.HARMFUL,
                level.equals("INFO")
                    ? "NCCL logs what it does for every communicator; good for one run."
                    : "NCCL logs every call, which slows a run down.",
                "Use it for one run with NCCL_DEBUG_FILE=nccl.%h.%p.log, then remove it."))
        : Optional.empty();
  }

  private static NcclVerdict harmful(
      NcclVariable variable, String value, String explanation, String remedy) {
    return NcclExplainer.verdict(variable, value, Kind.HARMFUL, explanation, remedy);
  }
}
