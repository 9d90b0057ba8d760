/**
 * What a Hugging Face {@code config.json} says about a DeepSeek model, as immutable records.
 *
 * <p>Read {@link dev.duoka.formats.modelconfig.ModelConfig} first; {@link
 * dev.duoka.formats.modelconfig.ModelConfigReader} makes one from a file, {@link
 * dev.duoka.formats.modelconfig.Presets} from a name, and {@link
 * dev.duoka.formats.modelconfig.ParameterCounts} counts the parameters of one.
 */
package dev.duoka.formats.modelconfig;
