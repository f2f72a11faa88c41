"""Reading model cards, and the rules that figures of a training run keep."""
