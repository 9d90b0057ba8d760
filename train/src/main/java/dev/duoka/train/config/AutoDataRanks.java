package dev.duoka.train.config;

import dev.duoka.base.Plural;
import dev.duoka.comm.launch.ProcessPlace;
import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.binding.Binder;
import dev.duoka.train.config.binding.Overrides;
import dev.duoka.train.config.binding.Problems;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.IntSupplier;

/** What {@code parallel: {data: auto}} comes to on a machine. */
final class AutoDataRanks {
  private static final String FIELD = "parallel.data";

  /** The GPUs of this machine; loads LibTorch and the driver. */
  static final IntSupplier HERE = () -> Gpus.find().names().size();

  private AutoDataRanks() {}

  /**
   * The same file with a number in the place of {@code auto}.
   *
   * @param environment which says whether the run has several processes
   * @param gpus how many the machine has
   */
  static YamlTree.Mapping resolved(
      YamlTree.Mapping file, Map<String, String> environment, IntSupplier gpus, Problems problems) {
    Optional<String> auto = origin(file);
    if (auto.isEmpty()) {
      return file;
    }
    YamlTree.Mapping one = Overrides.apply(file, List.of(FIELD + "=1"), problems);
    Optional<RunConfig> config = Binder.bind(one, RunConfig.class, new Problems("")).value();
    int ranks =
        config
            .map(it -> ranks(it, ProcessPlace.of(environment), auto.get(), gpus, problems))
            .orElse(1);
    return Overrides.apply(file, List.of(FIELD + "=" + Math.max(1, ranks)), problems);
  }

  private static int ranks(
      RunConfig config, ProcessPlace place, String origin, IntSupplier gpus, Problems problems) {
    OptionalInt each = config.launch().ranksPerProcess().count();
    if (!place.isAlone()) {
      if (each.isEmpty()) {
        problems.add(
            origin,
            FIELD
                + " is auto, which counts the GPUs of one machine, but the run has "
                + Plural.of(place.processes(), "process", "processes"),
            "Write down the number, or set launch.ranks_per_process.");
        return 1;
      }
      return place.processes() * each.getAsInt() / config.parallel().ranks();
    }
    List<Integer> named = config.device().gpus();
    if (named.size() > 1) {
      return named.size() / config.parallel().ranks();
    }
    boolean spread = config.device().kind() != DeviceChoice.Kind.CPU && named.isEmpty();
    return spread ? gpus.getAsInt() / config.parallel().ranks() : 1;
  }

  /** Where the file says auto; empty where it does not. */
  private static Optional<String> origin(YamlTree.Mapping file) {
    YamlTree.Entry parallel = file.entries().get("parallel");
    if (parallel == null || !(parallel.value() instanceof YamlTree.Mapping section)) {
      return Optional.empty();
    }
    YamlTree.Entry data = section.entries().get("data");
    return data != null
            && data.value() instanceof YamlTree.Scalar scalar
            && scalar.text().equals("auto")
        ? Optional.of(data.origin())
        : Optional.empty();
  }
}
