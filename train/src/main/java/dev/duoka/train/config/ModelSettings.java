package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Section {@code model}: which architecture is trained and where its weights start. */
public record ModelSettings(
    @Doc(
            value =
                "Name of a built-in architecture, for example `tiny-v3` or `deepseek-v2-lite`."
                    + " Exactly one of `preset` and `path` is set.",
            whenAbsent = "`path` is used")
        Optional<String> preset,
    @Doc(
            value =
                "Folder with a Hugging Face `config.json` of a DeepSeek architecture and, for"
                    + " `load_weights`, its `*.safetensors`.",
            whenAbsent = "`preset` is used")
        Optional<Path> path,
    @Doc(
            value =
                "Start from the weights in `path` instead of a random initialisation drawn from"
                    + " `training.seed`.",
            byDefault = "false")
        boolean loadWeights,
    @Doc(
            value =
                "Keys of Hugging Face's `config.json` laid over those of the preset or of `path`,"
                    + " for example `{num_hidden_layers: 4}`.",
            byDefault = "{}")
        Map<String, @Nullable Object> overrides,
    @Doc(
            value =
                "Weight λ of the multi-token-prediction loss of V3-style models; 0 leaves the"
                    + " module out. Models without such a module ignore it.",
            byDefault = "0.3",
            range = "[0, inf)")
        double mtpWeight,
    @Doc("How tokens are spread over the experts of a mixture-of-experts model.")
        RouterSettings router) {

  public ModelSettings {
    overrides = Collections.unmodifiableMap(new LinkedHashMap<>(overrides));
  }
}
