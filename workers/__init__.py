"""The processes of the axis: composition only; what they decide lives in axis.core."""
