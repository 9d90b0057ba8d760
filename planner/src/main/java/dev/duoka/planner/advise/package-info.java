/** Which machine to buy or rent for a model and a job. Read {@code Adviser} first. */
package dev.duoka.planner.advise;
