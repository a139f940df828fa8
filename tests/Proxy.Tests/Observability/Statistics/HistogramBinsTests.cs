using MeshProxy.Proxy.Observability.Statistics;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Statistics;

public class HistogramBinsTests
{
    [Theory]
    [InlineData(0UL, 0, 0)]
    [InlineData(5UL, 50, 0)]
    [InlineData(10UL, 10, 1)]
    [InlineData(99UL, 99, 1)]
    [InlineData(309UL, 30, 2)]
    [InlineData(123456UL, 12, 5)]
    public void ASampleFallsIntoABinOfTwoDigits(ulong value, byte digits, byte exponent) =>
        Assert.Equal(new HistogramBin(digits, exponent), HistogramBin.Of(value));

    [Fact]
    public void QuantilesInterpolateWithinABin()
    {
        var bins = new HistogramBins();
        bins.Record(300);
        var values = new double[3];

        bins.Quantiles([0, 0.25, 1], values);

        Assert.Equal([300, 302.5, 310], values);
    }

    [Fact]
    public void QuantilesOfNothingAreNotANumber()
    {
        var values = new double[1];
        new HistogramBins().Quantiles([0.5], values);
        Assert.True(double.IsNaN(values[0]));
    }

    [Fact]
    public void ASampleEqualToABoundaryIsAboveIt()
    {
        var bins = new HistogramBins();
        bins.Record(0);
        bins.Record(100);
        bins.Record(250);

        Assert.Equal(1UL, bins.CountBelow(100));
        Assert.Equal(2UL, bins.CountBelow(250));
        Assert.Equal(3UL, bins.CountBelow(260));
    }
}
