package dev.duoka.train.run;

/** The mean loss of the steps since it was last taken. One thread. */
public final class MeanLoss {
  private double sum;
  private int count;

  /** Adds a step's loss. */
  public void add(double loss) {
    sum += loss;
    count++;
  }

  /** The mean of what was added, and begins anew; NaN when nothing was. */
  public double take() {
    double mean = sum / count;
    sum = 0;
    count = 0;
    return mean;
  }
}
