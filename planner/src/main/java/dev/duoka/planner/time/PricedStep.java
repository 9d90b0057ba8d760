package dev.duoka.planner.time;

/**
 * What the parts of a rank's step take, exchanges apart.
 *
 * @param computing of one micro-batch, by cause
 * @param forward seconds of that in the forward pass
 * @param inputGradients seconds in the backward pass before weight gradients
 * @param weightGradients seconds
 * @param update seconds of the optimizer on the device; 0 where states are in host memory
 */
record PricedStep(
    Seconds computing,
    double forward,
    double inputGradients,
    double weightGradients,
    double update) {}
