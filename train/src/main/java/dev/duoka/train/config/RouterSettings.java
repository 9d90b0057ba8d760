package dev.duoka.train.config;

import dev.duoka.train.config.binding.Doc;
import java.util.OptionalDouble;

/** Section {@code model.router}: how the load of the experts is balanced. */
public record RouterSettings(
    @Doc(
            value =
                "Update rate γ of the routing bias of V3-style models: after each step the bias of"
                    + " an overloaded expert falls by γ and that of an underloaded one rises by γ.",
            byDefault = "0.001",
            range = "[0, 1]")
        double biasUpdateRate,
    @Doc(
            value = "Weight α of the auxiliary balance loss; 0 switches it off.",
            whenAbsent = "`aux_loss_alpha` of the model's `config.json`",
            range = "[0, inf)")
        OptionalDouble balanceLoss) {}
