// A server's core in C++17: a model is trained from vectors, travels through memory, and eight threads answer with clones
// of it at once. Prints "served" when all answers are the same to the bit.
#include <cmath>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <tidemill/forecast.h>

namespace {

template <auto Free> struct deleter {
    template <class T> void operator()(T *p) const { Free(p); }
};
using frame   = std::unique_ptr<tide_frame, deleter<tide_frame_free>>;
using options = std::unique_ptr<forecast_options, deleter<forecast_options_free>>;
using trainer = std::unique_ptr<forecast_trainer, deleter<forecast_trainer_free>>;
using model   = std::unique_ptr<forecast_model, deleter<forecast_model_free>>;

constexpr int64_t rows = 480, columns = 2, seq = 24, pred = 6, windows = 40;

void check(tide_status status, const tide_failure &why) {
    if (status != TIDE_OK) throw std::runtime_error(why.message);
}

model train(const std::vector<double> &values, const std::vector<int64_t> &times) {
    tide_failure      why = {};
    tide_frame       *f   = nullptr;
    forecast_trainer *t   = nullptr;
    forecast_model   *m   = nullptr;
    check(tide_frame_new(rows, &f, &why), why);
    frame series(f);
    check(tide_frame_borrow(f, "level", values.data(), columns, &why), why);
    check(tide_frame_borrow(f, "flow", values.data() + 1, columns, &why), why);
    check(tide_frame_set_time(f, "time", times.data(), &why), why);
    options o(forecast_options_new());
    o->seq_len = seq, o->pred_len = pred, o->d_model = o->d_ff = 16, o->n_heads = 2, o->e_layers = 1, o->epochs = 2;
    check(forecast_trainer_new(o.get(), f, nullptr, nullptr, &t, &why), why);
    trainer training(t);
    check(forecast_trainer_run(t, 0, &why), why);
    check(forecast_trainer_model(t, &m, &why), why);
    return model(m);
}

model through_memory(const model &from) {
    tide_failure    why   = {};
    void           *bytes = nullptr;
    size_t          size  = 0;
    forecast_model *m     = nullptr;
    check(forecast_model_save_memory(from.get(), &bytes, &size, &why), why);
    tide_status status = forecast_model_load_memory(bytes, size, nullptr, &m, &why);
    tide_free(bytes);
    check(status, why);
    return model(m);
}

std::vector<double> ask(const model &m, const std::vector<double> &past, const std::vector<int64_t> &time_s) {
    tide_failure        why = {};
    std::vector<double> future(windows * pred * columns);
    check(forecast_model_predict(m.get(), windows, past.data(), time_s.data(), future.data(), &why), why);
    return future;
}

model clone(const model &m) {
    tide_failure    why  = {};
    forecast_model *copy = nullptr;
    check(forecast_model_clone(m.get(), &copy, &why), why);
    return model(copy);
}

} // namespace

int main() {
    std::vector<double>  values(rows * columns), past;
    std::vector<int64_t> times(rows), time_s;
    for (int64_t i = 0; i < rows; i++) {
        values[i * columns] = std::sin(i * 0.26), values[i * columns + 1] = std::cos(i * 0.26);
        times[i] = 1704067200 + 3600 * i;
    }
    for (int64_t w = 0; w < windows; w++) {
        past.insert(past.end(), values.begin() + w * columns, values.begin() + (w + seq) * columns);
        time_s.insert(time_s.end(), times.begin() + w, times.begin() + w + seq);
    }
    model m = through_memory(train(values, times));
    const std::vector<double> alone = ask(m, past, time_s);
    std::vector<std::vector<double>> answers(8);
    std::vector<std::thread> threads;
    for (auto &answer : answers)
        threads.emplace_back([&answer, copy = clone(m), &past, &time_s] { answer = ask(copy, past, time_s); });
    for (auto &t : threads) t.join();
    for (const auto &answer : answers)
        if (answer != alone) return std::fprintf(stderr, "answers differ\n"), 1;
    std::puts("served");
    return 0;
}
