package dev.duoka.doctor.nccl;

import dev.duoka.doctor.nccl.NcclVerdict.Kind;
import dev.duoka.machine.topology.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;

/** Explains variables that are set: useful, useless here, harmful, wrong or misspelt. */
public final class NcclExplainer {
  /** From so many GPUs on NVLink SHARP is faster than a ring on Hopper. */
  private static final int LEAST_FOR_NVLS = 5;

  private final NcclCatalog catalog = NcclCatalog.get();
  private final Optional<Topology> topology;

  /**
   * @param topology the machine that the variables are set on; empty where it is not known
   */
  public NcclExplainer(Optional<Topology> topology) {
    this.topology = topology;
  }

  /** The verdicts on all variables of an environment that concern NCCL, in order of names. */
  public List<NcclVerdict> explainAll(Map<String, String> environment) {
    List<NcclVerdict> verdicts = new ArrayList<>();
    new TreeMap<>(environment)
        .forEach(
            (name, value) -> {
              if (concernsNccl(name)) {
                verdicts.add(explain(name, value));
              }
            });
    return List.copyOf(verdicts);
  }

  private boolean concernsNccl(String name) {
    String upper = name.toUpperCase(Locale.ROOT);
    boolean slip =
        upper.startsWith("NCL_") || upper.startsWith("NNCL_") || upper.startsWith("NCCLP2P");
    return upper.startsWith("NCCL_")
        || upper.startsWith("TORCH_NCCL_")
        || slip
        || catalog.find(name).isPresent();
  }

  /** The verdict on one variable. */
  public NcclVerdict explain(String name, String value) {
    Optional<NcclVariable> known = catalog.find(name);
    return known.map(variable -> explainKnown(variable, value)).orElseGet(() -> slip(name, value));
  }

  private NcclVerdict slip(String name, String value) {
    Optional<String> nearest = catalog.nearest(name);
    return nearest
        .map(
            near ->
                new NcclVerdict(
                    name,
                    value,
                    Kind.MISSPELT,
                    "Nothing reads " + name + ", so it has no effect. Names are case-sensitive.",
                    Optional.of("Write " + near + ", if that is meant, or remove it."),
                    nearest,
                    "nccl-variables.yaml"))
        .orElseGet(
            () ->
                new NcclVerdict(
                    name,
                    value,
                    Kind.UNKNOWN,
                    "It is not among the documented variables; NCCL ignores names that it does not"
                        + " know. A plugin may read it.",
                    Optional.of("Remove it unless a plugin's documentation names it."),
                    Optional.empty(),
                    "nccl-variables.yaml"));
  }

  private NcclVerdict explainKnown(NcclVariable variable, String value) {
    String what = "It sets " + variable.summary() + " (default: " + variable.defaultValue() + "). ";
    if (variable.wrongNameOf().isPresent()) {
      return wrongName(variable, value);
    }
    if (variable.removed().isPresent()) {
      return verdict(
          variable,
          value,
          Kind.USELESS_HERE,
          "NCCL " + variable.removed().get() + " removed it; it has no effect.",
          "Remove it"
              + variable.replacedBy().map(n -> "; today's variable is " + n).orElse("")
              + ".");
    }
    if (variable.scope() == NcclVariable.Scope.IMAGE) {
      return verdict(
          variable, value, Kind.HARMLESS, "NCCL does not read it: " + variable.summary() + ".", "");
    }
    if (variable.values().isPresent() && !matches(variable.values().get(), value)) {
      return verdict(
          variable,
          value,
          Kind.WRONG_VALUE,
          what + "'" + value + "' is none of its values (" + variable.values().get() + ").",
          "Correct or remove it.");
    }
    if (variable.scope() == NcclVariable.Scope.PYTORCH) {
      return verdict(
          variable,
          value,
          Kind.USELESS_HERE,
          "PyTorch's process group reads it, NCCL does not: "
              + variable.summary()
              + ". duoka's ranks do not use that group, so it has no effect here.",
          "Remove it, unless PyTorch programs on this machine need it.");
    }
    return NcclRules.special(variable, value, topology, LEAST_FOR_NVLS)
        .orElseGet(() -> general(variable, value, what));
  }

  private NcclVerdict general(NcclVariable variable, String value, String what) {
    if (variable.scope().betweenMachines()) {
      return verdict(
          variable,
          value,
          Kind.USELESS_HERE,
          what
              + "It concerns traffic between machines; inside one, data go over NVLink, PCIe or"
              + " shared memory.",
          "Remove it, unless runs of several machines share this environment.");
    }
    boolean normal = variable.defaultValue().equals(value);
    String pitfall = variable.pitfall().map(text -> " Mind: " + text + ".").orElse("");
    String old =
        variable
            .replacedBy()
            .map(
                name ->
                    " " + name + " replaces it since " + variable.deprecated().orElse("long") + ".")
            .orElse("");
    return verdict(
        variable,
        value,
        normal ? Kind.HARMLESS : Kind.USEFUL,
        (what + (normal ? "This is the default." : "") + old + pitfall).strip(),
        "");
  }

  private static NcclVerdict wrongName(NcclVariable variable, String value) {
    String meant = variable.wrongNameOf().orElse("none");
    boolean none = meant.equals("none");
    return new NcclVerdict(
        variable.name(),
        value,
        Kind.WRONG_NAME,
        capital(variable.summary())
            + ". NCCL never read it"
            + variable
                .deprecated()
                .map(v -> "; PyTorch still does, with a warning since " + v.replace("PyTorch ", ""))
                .orElse("")
            + ". duoka's ranks exchange data by plain copies today, so it has no effect here.",
        Optional.of(
            none ? "Remove it." : "Remove it; for PyTorch programs the name is " + meant + "."),
        none ? Optional.empty() : Optional.of(meant),
        variable.source());
  }

  static NcclVerdict verdict(
      NcclVariable variable, String value, Kind kind, String explanation, String remedy) {
    return new NcclVerdict(
        variable.name(),
        value,
        kind,
        explanation,
        remedy.isEmpty() ? Optional.empty() : Optional.of(remedy),
        Optional.empty(),
        variable.source());
  }

  private static boolean matches(String pattern, String value) {
    return Pattern.compile(pattern, Pattern.CASE_INSENSITIVE).matcher(value.strip()).matches();
  }

  private static String capital(String text) {
    return Character.toUpperCase(text.charAt(0)) + text.substring(1);
  }
}
