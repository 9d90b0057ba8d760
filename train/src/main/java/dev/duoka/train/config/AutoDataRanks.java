package dev.duoka.train.config;

import dev.duoka.formats.yaml.YamlTree;
import dev.duoka.tensor.Gpus;
import dev.duoka.train.config.binding.Binder;
import dev.duoka.train.config.binding.Overrides;
import dev.duoka.train.config.binding.Problems;
import java.util.List;
import java.util.Optional;

/** What {@code parallel: {data: auto}} comes to on this machine. */
final class AutoDataRanks {
  private static final String FIELD = "parallel.data";

  private AutoDataRanks() {}

  /** The same file with a number in the place of {@code auto}. */
  static YamlTree.Mapping resolved(YamlTree.Mapping file, Problems problems) {
    if (!isAuto(file)) {
      return file;
    }
    YamlTree.Mapping one = Overrides.apply(file, List.of(FIELD + "=1"), problems);
    Optional<RunConfig> config = Binder.bind(one, RunConfig.class, new Problems("")).value();
    int ranks =
        config
            .filter(it -> it.device().kind() != DeviceChoice.Kind.CPU)
            .filter(it -> it.device().index().isEmpty())
            .map(it -> Gpus.find().names().size() / it.parallel().ranks())
            .orElse(1);
    return Overrides.apply(file, List.of(FIELD + "=" + Math.max(1, ranks)), problems);
  }

  private static boolean isAuto(YamlTree.Mapping file) {
    YamlTree.Entry parallel = file.entries().get("parallel");
    if (parallel == null || !(parallel.value() instanceof YamlTree.Mapping section)) {
      return false;
    }
    YamlTree.Entry data = section.entries().get("data");
    return data != null
        && data.value() instanceof YamlTree.Scalar scalar
        && scalar.text().equals("auto");
  }
}
