/** Which dtypes a run computes and keeps its state in, and loss scaling for fp16. */
package dev.duoka.engine.precision;
