package dev.duoka.measure.step;

import dev.duoka.formats.prediction.PredictedStep;
import tools.jackson.databind.node.ObjectNode;

/** What was said of a step's time before it was measured, beside what was measured. */
public final class ForecastReport {
  private ForecastReport() {}

  /**
   * Adds the forecast to a report, rounded for people, and its error where that has {@code
   * step_ms}, what was measured.
   */
  public static void describe(PredictedStep forecast, ObjectNode report) {
    double predicted = forecast.seconds() * 1e3;
    report.put("predicted_step_ms", Math.round(predicted * 100) / 100.0);
    if (report.has("step_ms")) {
      double measured = report.get("step_ms").asDouble();
      report.put("prediction_error_percent", Math.round((predicted / measured - 1) * 1000) / 10.0);
    }
    report.put("predicted_by", forecast.source());
  }
}
